//! The types of a program, interned: what boundaries check, what schemas are made from, what templates render by.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::value::Value;

/// Index into [`Types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TypeId(pub u32);

/// A constraint of `where (...)`: exactly what JSON Schema can say.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Smallest number, or fewest items of a list.
    Min(Value),
    /// Largest number, or most items of a list.
    Max(Value),
    /// Fewest characters (Unicode scalar values).
    MinLen(u64),
    /// Most characters (Unicode scalar values).
    MaxLen(u64),
    /// A regular expression that must match somewhere, as in JSON Schema.
    Pattern(SmolStr),
    /// A JSON Schema format: `email`, `uri`, `date`, `date-time`, `uuid`, ...
    Format(SmolStr),
    /// The number is a multiple.
    MultipleOf(Value),
    /// The items differ from each other.
    Unique,
}

/// A type of the program.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// `text`
    Text,
    /// `int`
    Int,
    /// `float`
    Float,
    /// `bool`
    Bool,
    /// `bytes`
    Bytes,
    /// `json`
    Json,
    /// `time`
    Time,
    /// `duration`
    Duration,
    /// `money`
    Money,
    /// `size`
    Size,
    /// `image`
    Image,
    /// `audio`
    Audio,
    /// `file`
    File,
    /// `none`
    None,
    /// `role`: the name of a model declaration; its value is a text.
    Role,
    /// `secret text`: the name of a secret declaration; its value is that name as a text, never what the name stands for.
    Secret,
    /// `[T]`
    List(TypeId),
    /// `[K: V]`
    Map(TypeId, TypeId),
    /// `T?`
    Optional(TypeId),
    /// `field<T, K>`: its value is the index of the field.
    Selector,
    /// A record.
    Record(RecordType),
    /// An enum.
    Enum(EnumType),
    /// A type with bounds; `name` is set for a declared alias.
    Refined {
        /// The alias's name, if it was declared.
        name: Option<SmolStr>,
        /// The type that is constrained.
        base: TypeId,
        /// The constraints, all of which must hold.
        bounds: Vec<Bound>,
    },
}

/// The words in front of a declared type: whether somebody vouches for its values, wherever they come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// `trusted`: it takes only values for which somebody vouches, and so gives only such.
    Trusted,
    /// `untrusted`: nobody vouches for what it gives, whatever it was given.
    Untrusted,
    /// Both, for different parts: it takes only what somebody vouches for, and nobody vouches for what it gives.
    Mixed,
}

impl Trust {
    /// Whether a place with this word takes only values for which somebody vouches.
    pub fn wants_trusted(self) -> bool {
        self != Trust::Untrusted
    }
}

/// A nominal record.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordType {
    /// Qualified name with its type arguments: `acme.support.Ticket`, `Pair<text, int>`.
    pub name: SmolStr,
    /// Documentation: models read it in the schema.
    pub docs: SmolStr,
    /// Fields in declaration order.
    pub fields: Vec<FieldType>,
}

/// A field of a record or of a variant's payload.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldType {
    /// Its name in the program.
    pub name: SmolStr,
    /// Its name on the wire.
    pub wire: SmolStr,
    /// Documentation.
    pub docs: SmolStr,
    /// Its type.
    pub ty: TypeId,
    /// The value taken when the wire form leaves it out; only constant defaults appear here.
    pub default: Option<Value>,
    /// What its declaration says of who vouches for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<Trust>,
}

/// A nominal enum.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnumType {
    /// Qualified name with its type arguments.
    pub name: SmolStr,
    /// Documentation.
    pub docs: SmolStr,
    /// Variants in declaration order.
    pub variants: Vec<VariantType>,
}

impl EnumType {
    /// Whether any variant has a payload: then the wire form is an object with the key `kind`.
    pub fn has_payload(&self) -> bool {
        self.variants.iter().any(|v| !v.fields.is_empty())
    }
}

/// A variant of an enum.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantType {
    /// Its name in the program: `NeedsInfo`.
    pub name: SmolStr,
    /// Its name on the wire: `needs_info`, or what `as` says.
    pub wire: SmolStr,
    /// Documentation.
    pub docs: SmolStr,
    /// Its payload.
    pub fields: Vec<FieldType>,
}

/// All types of a program. Recursive types refer to each other by id, so a record is first reserved, then filled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Types {
    types: Vec<Type>,
}

impl Types {
    /// Adds a type and gives its id; the caller interns.
    pub fn push(&mut self, ty: Type) -> TypeId {
        let id = TypeId(u32::try_from(self.types.len()).unwrap_or(u32::MAX));
        self.types.push(ty);
        id
    }

    /// Replaces a type that was reserved.
    pub fn set(&mut self, id: TypeId, ty: Type) {
        if let Some(slot) = self.types.get_mut(id.0 as usize) {
            *slot = ty;
        }
    }

    /// The type, with `None` for an id of another program.
    pub fn get(&self, id: TypeId) -> &Type {
        self.types.get(id.0 as usize).unwrap_or(&Type::None)
    }

    /// The type below refinements.
    pub fn base(&self, mut id: TypeId) -> &Type {
        // Chains of refinements are short and acyclic (the verifier checks); the bound keeps a bad file from hanging us.
        for _ in 0..64 {
            match self.get(id) {
                Type::Refined { base, .. } => id = *base,
                other => return other,
            }
        }
        self.get(id)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.types.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.types.is_empty()
    }

    /// All types with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (TypeId, &Type)> {
        (0..).map(TypeId).zip(self.types.iter())
    }
}
