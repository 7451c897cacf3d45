//! Schemas by name.

use utoipa::ToSchema;
use utoipa::openapi::{Ref, RefOr, Schema};

/// Named schemas.
pub(super) type Schemas = Vec<(String, RefOr<Schema>)>;

/// The schema of a type by its name, and all that it speaks of.
pub(super) fn named<T: ToSchema>(schemas: &mut Schemas) -> Ref {
    let name = T::name().into_owned();
    T::schemas(schemas);
    schemas.push((name.clone(), T::schema()));
    Ref::from_schema_name(name)
}
