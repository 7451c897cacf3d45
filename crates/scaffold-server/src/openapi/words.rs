//! Texts that are one of a few words.

/// Types whose schema is a text out of a list of words.
macro_rules! words {
    ($($(#[doc = $about:literal])+ $name:ident: $($word:literal),+;)*) => {$(
        $(#[doc = $about])+
        pub(in crate::openapi) struct $name;

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let words = [$($word),+];
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::Type::String)
                    .description(Some(concat!($($about),+).trim()))
                    .enum_values(Some(words))
                    .examples([words[0]])
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    )*};
}

pub(super) use words;
