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
    /// It is none.
    Unknown,
}

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
        | "else"
        | "not"
        | "dependencies"
        | "dependentRequired"
        | "dependentSchemas" => Keyword::Followed,
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
     minLength, maxLength, pattern, format, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, not (of `required` and \
     `type`), dependentRequired, dependentSchemas, dependencies";

/// All that are known.
pub(super) const ALL: [&str; 75] = [
    "type",
    "enum",
    "const",
    "allOf",
    "anyOf",
    "oneOf",
    "$ref",
    "properties",
    "required",
    "additionalProperties",
    "patternProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "unevaluatedProperties",
    "items",
    "prefixItems",
    "additionalItems",
    "minItems",
    "maxItems",
    "uniqueItems",
    "unevaluatedItems",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "if",
    "then",
    "else",
    "$schema",
    "$id",
    "id",
    "$anchor",
    "$dynamicAnchor",
    "$recursiveAnchor",
    "$defs",
    "definitions",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "example",
    "deprecated",
    "readOnly",
    "writeOnly",
    "contentMediaType",
    "contentEncoding",
    "contentSchema",
    "discriminator",
    "externalDocs",
    "xml",
    "markdownDescription",
    "enumNames",
    "enumDescriptions",
    "markdownEnumDescriptions",
    "propertyOrdering",
    "errorMessage",
    "tsType",
    "contains",
    "minContains",
    "maxContains",
    "not",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "$dynamicRef",
    "$recursiveRef",
    "$vocabulary",
    "nullable",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_keywords_are_known() {
        assert!(ALL.iter().all(|name| keyword(name) != Keyword::Unknown));
        assert!(
            FOLLOWED
                .split(", ")
                .all(|name| keyword(name.split(' ').next().unwrap()) == Keyword::Followed)
        );
    }
}
