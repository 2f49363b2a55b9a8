//! Rewrites files with editions into files without, which is what prost-reflect reads.
//!
//! Of the features, prost-reflect has words for three: the presence of a field (by the file's syntax and the field's label
//! and `proto3_optional`), whether a list is packed, and whether a message is delimited (a group). The others change
//! nothing in it: its enums are open, its strings UTF-8 and its JSON the standard one, whatever the syntax. The defaults
//! are those of protobuf's `docs/design/editions`: they are the same in 2023 and 2024.

use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto};

const EDITIONS: [(i32, &str); 2] = [(1000, "2023"), (1001, "2024")];

/// What prost-types leaves out of a `FileDescriptorSet`. Its parts stand where those of the set stand.
#[derive(Clone, PartialEq, Message)]
pub struct ImageFeatures {
    #[prost(message, repeated, tag = "1")]
    pub files: Vec<FileFeatures>,
}

#[derive(Clone, PartialEq, Message)]
pub struct FileFeatures {
    #[prost(message, repeated, tag = "4")]
    messages: Vec<MessageFeatures>,
    #[prost(message, repeated, tag = "7")]
    extensions: Vec<FieldFeatures>,
    #[prost(message, optional, tag = "8")]
    options: Option<FileOptionsFeatures>,
    #[prost(int32, optional, tag = "14")]
    edition: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
struct MessageFeatures {
    #[prost(message, repeated, tag = "2")]
    fields: Vec<FieldFeatures>,
    #[prost(message, repeated, tag = "3")]
    nested: Vec<MessageFeatures>,
    #[prost(message, repeated, tag = "6")]
    extensions: Vec<FieldFeatures>,
    #[prost(message, optional, tag = "7")]
    options: Option<MessageOptionsFeatures>,
    #[prost(message, repeated, tag = "8")]
    oneofs: Vec<OneofFeatures>,
}

#[derive(Clone, PartialEq, Message)]
struct FieldFeatures {
    #[prost(message, optional, tag = "8")]
    options: Option<FieldOptionsFeatures>,
}

#[derive(Clone, PartialEq, Message)]
struct OneofFeatures {
    #[prost(message, optional, tag = "2")]
    options: Option<OneofOptionsFeatures>,
}

#[derive(Clone, PartialEq, Message)]
struct FileOptionsFeatures {
    #[prost(message, optional, tag = "50")]
    features: Option<FeatureSet>,
}

#[derive(Clone, PartialEq, Message)]
struct MessageOptionsFeatures {
    #[prost(message, optional, tag = "12")]
    features: Option<FeatureSet>,
}

#[derive(Clone, PartialEq, Message)]
struct FieldOptionsFeatures {
    #[prost(message, optional, tag = "21")]
    features: Option<FeatureSet>,
}

#[derive(Clone, PartialEq, Message)]
struct OneofOptionsFeatures {
    #[prost(message, optional, tag = "1")]
    features: Option<FeatureSet>,
}

#[derive(Clone, PartialEq, Message)]
struct FeatureSet {
    #[prost(enumeration = "Presence", optional, tag = "1")]
    field_presence: Option<i32>,
    #[prost(enumeration = "ListEncoding", optional, tag = "3")]
    repeated_field_encoding: Option<i32>,
    #[prost(enumeration = "MessageEncoding", optional, tag = "5")]
    message_encoding: Option<i32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
enum Presence {
    Unknown = 0,
    Explicit = 1,
    Implicit = 2,
    LegacyRequired = 3,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
enum ListEncoding {
    Unknown = 0,
    Packed = 1,
    Expanded = 2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
enum MessageEncoding {
    Unknown = 0,
    LengthPrefixed = 1,
    Delimited = 2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewritten {
    Yes,
    No,
}

/// The features that hold somewhere.
#[derive(Clone, Copy)]
struct Features {
    presence: Presence,
    packed: bool,
    delimited: bool,
}

const DEFAULTS: Features = Features { presence: Presence::Explicit, packed: true, delimited: false };

impl FieldFeatures {
    fn own(&self) -> Option<&FeatureSet> {
        self.options.as_ref()?.features.as_ref()
    }
}

impl Features {
    /// What an element sets for itself and what is in it.
    fn with(self, set: Option<&FeatureSet>) -> Self {
        let Some(set) = set else { return self };
        Features {
            presence: if set.field_presence.is_some() { set.field_presence() } else { self.presence },
            packed: set.repeated_field_encoding.map_or(self.packed, |encoding| encoding == ListEncoding::Packed as i32),
            delimited: set
                .message_encoding
                .map_or(self.delimited, |encoding| encoding == MessageEncoding::Delimited as i32),
        }
    }
}

/// Gives a file with an edition a syntax, and its fields what the features say; leaves a file with a syntax as it is.
///
/// # Errors
/// When the edition is none of those known.
pub fn rewrite(file: &mut FileDescriptorProto, set: &FileFeatures) -> Result<Rewritten, String> {
    if file.syntax() != "editions" {
        return Ok(Rewritten::No);
    }
    if !EDITIONS.iter().any(|(number, _)| *number == set.edition()) {
        let known = EDITIONS.map(|(_, name)| name).join(" and ");
        return Err(format!("{} has edition number {}; this stub reads {known}", file.name(), set.edition()));
    }
    let features = DEFAULTS.with(set.options.as_ref().and_then(|options| options.features.as_ref()));
    for (extension, set) in file.extension.iter_mut().zip(&set.extensions) {
        rewrite_field(extension, features.with(set.own()));
    }
    let mut implicit = false;
    for (message, set) in file.message_type.iter_mut().zip(&set.messages) {
        implicit |= rewrite_message(message, set, features);
    }
    // Only with proto3 is there a field without presence.
    file.syntax = Some(if implicit { "proto3" } else { "proto2" }.to_owned());
    Ok(Rewritten::Yes)
}

/// Returns whether a field of the message, or of one in it, is without presence.
fn rewrite_message(message: &mut DescriptorProto, set: &MessageFeatures, inherited: Features) -> bool {
    let features = inherited.with(set.options.as_ref().and_then(|options| options.features.as_ref()));
    let mut implicit = false;
    for (nested, set) in message.nested_type.iter_mut().zip(&set.nested) {
        implicit |= rewrite_message(nested, set, features);
    }
    for (extension, set) in message.extension.iter_mut().zip(&set.extensions) {
        rewrite_field(extension, features.with(set.own()));
    }
    let of_oneof = |field: &FieldDescriptorProto| {
        let oneof = set.oneofs.get(usize::try_from(field.oneof_index?).ok()?)?;
        oneof.options.as_ref()?.features.as_ref()
    };
    let is_entry = is_map_entry(message);
    let entries: Vec<String> = message
        .nested_type
        .iter()
        .filter(|nested| is_map_entry(nested))
        .map(|entry| format!(".{}.{}", message.name(), entry.name()))
        .collect();
    for (field, set) in message.field.iter_mut().zip(&set.fields) {
        let mut features = features.with(of_oneof(field)).with(set.own());
        // A map, and a message in it, is never delimited.
        features.delimited &= !is_entry && !entries.iter().any(|entry| field.type_name().ends_with(entry));
        implicit |= rewrite_field(field, features);
    }
    implicit
}

fn is_map_entry(message: &DescriptorProto) -> bool {
    message.options.as_ref().is_some_and(prost_types::MessageOptions::map_entry)
}

/// Returns whether the field is without presence.
fn rewrite_field(field: &mut FieldDescriptorProto, features: Features) -> bool {
    if field.r#type() == Type::Message && features.delimited {
        field.set_type(Type::Group);
    }
    if field.label() == Label::Repeated {
        field.options.get_or_insert_default().packed = Some(features.packed);
        return false;
    }
    if features.presence == Presence::LegacyRequired {
        field.set_label(Label::Required);
    }
    if matches!(field.r#type(), Type::Message | Type::Group) || field.oneof_index.is_some() || field.extendee.is_some()
    {
        return false;
    }
    let implicit = features.presence == Presence::Implicit;
    field.proto3_optional = Some(!implicit);
    implicit
}
