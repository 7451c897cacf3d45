//! The keywords of JSON Schema, and what becomes of them.

/// What becomes of a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    /// It is followed.
    Followed,
    /// It asks for nothing: it describes, or names.
    Silent,
    /// It asks for something that answers cannot be held to, for this reason.
    Refused(&'static str),
    /// Nobody knows it.
    Unknown,
}

const INSTEAD: &str =
    "say it with `anyOf`, `enum` or `required`, or check the answer yourself and leave it out here";

/// What becomes of a keyword.
pub(super) fn keyword(name: &str) -> Keyword {
    match name {
        "type"
        | "enum"
        | "const"
        | "allOf"
        | "anyOf"
        | "oneOf"
        | "$ref"
        | "properties"
        | "required"
        | "additionalProperties"
        | "patternProperties"
        | "propertyNames"
        | "minProperties"
        | "maxProperties"
        | "unevaluatedProperties"
        | "items"
        | "prefixItems"
        | "additionalItems"
        | "minItems"
        | "maxItems"
        | "uniqueItems"
        | "unevaluatedItems"
        | "minLength"
        | "maxLength"
        | "pattern"
        | "format"
        | "minimum"
        | "maximum"
        | "exclusiveMinimum"
        | "exclusiveMaximum"
        | "multipleOf"
        | "if"
        | "then"
        | "else" => Keyword::Followed,
        "$schema"
        | "$id"
        | "id"
        | "$anchor"
        | "$dynamicAnchor"
        | "$recursiveAnchor"
        | "$defs"
        | "definitions"
        | "$comment"
        | "title"
        | "description"
        | "default"
        | "examples"
        | "example"
        | "deprecated"
        | "readOnly"
        | "writeOnly"
        | "contentMediaType"
        | "contentEncoding"
        | "contentSchema"
        | "discriminator"
        | "externalDocs"
        | "xml"
        | "markdownDescription"
        | "enumNames"
        | "enumDescriptions"
        | "markdownEnumDescriptions"
        | "propertyOrdering"
        | "errorMessage"
        | "tsType" => Keyword::Silent,
        name if name.starts_with("x-") => Keyword::Silent,
        "contains" | "minContains" | "maxContains" => {
            Keyword::Refused("use `prefixItems`, or say what all items are with `items`")
        }
        "not" | "dependentRequired" | "dependentSchemas" | "dependencies" => {
            Keyword::Refused(INSTEAD)
        }
        "$dynamicRef" | "$recursiveRef" => {
            Keyword::Refused("use `$ref`, which means one place whoever asks")
        }
        "$vocabulary" => Keyword::Refused("only the vocabulary of JSON Schema itself is known"),
        "nullable" => Keyword::Refused("in JSON Schema it is `\"type\": [\"string\", \"null\"]`"),
        _ => Keyword::Unknown,
    }
}

/// All that are followed, for whoever asks what there is.
pub(super) const FOLLOWED: &str = "type, enum, const, allOf, anyOf, oneOf, $ref, properties, required, additionalProperties, \
     patternProperties, propertyNames, minProperties, maxProperties, items, prefixItems, additionalItems, minItems, maxItems, \
     minLength, maxLength, pattern, format, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf";
