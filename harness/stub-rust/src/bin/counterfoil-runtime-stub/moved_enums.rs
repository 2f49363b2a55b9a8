//! Moves enums whose first value is not zero out of files with proto3.
//!
//! prost-reflect refuses such an enum in a file with proto3, hence in an editions file that has been given that syntax for
//! its fields without presence. Nothing that the stub says about a payload has an enum's full name in it.

use std::collections::HashMap;

use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto};

/// In a package of its own, an enum takes no name of another.
const ROOT: &str = "counterfoil_moved";

/// The new name of each enum that was moved by its old one, both with the leading dot of a reference.
#[derive(Debug, Default)]
pub struct MovedEnums(HashMap<String, String>);

impl MovedEnums {
    /// Gives each such enum a file of its own, which the file imports for itself and for those who import it. Returns
    /// the new files.
    pub fn move_out_of(&mut self, file: &mut FileDescriptorProto) -> Vec<FileDescriptorProto> {
        if file.syntax() != "proto3" {
            return Vec::new();
        }
        let scope = if file.package().is_empty() { String::new() } else { format!(".{}", file.package()) };
        let mut taken = take_enums(&scope, &mut file.enum_type);
        for message in &mut file.message_type {
            take_nested_enums(&scope, message, &mut taken);
        }
        taken.into_iter().map(|(name, moved)| self.give_file(&name, moved, file)).collect()
    }

    fn give_file(
        &mut self,
        name: &str,
        moved: EnumDescriptorProto,
        from: &mut FileDescriptorProto,
    ) -> FileDescriptorProto {
        let package = format!("{ROOT}{name}");
        let path = format!("{}#{name}", from.name());
        self.0.insert(name.to_owned(), format!(".{package}.{}", moved.name()));
        from.public_dependency.extend(i32::try_from(from.dependency.len()));
        from.dependency.push(path.clone());
        FileDescriptorProto {
            name: Some(path),
            package: Some(package),
            enum_type: vec![moved],
            ..FileDescriptorProto::default()
        }
    }

    /// Lets the fields of a file name the enums where they are now.
    pub fn follow(&self, file: &mut FileDescriptorProto) {
        if !self.0.is_empty() {
            file.extension.iter_mut().for_each(|field| self.follow_field(field));
            file.message_type.iter_mut().for_each(|message| self.follow_message(message));
        }
    }

    fn follow_message(&self, message: &mut DescriptorProto) {
        message.field.iter_mut().chain(&mut message.extension).for_each(|field| self.follow_field(field));
        message.nested_type.iter_mut().for_each(|nested| self.follow_message(nested));
    }

    fn follow_field(&self, field: &mut FieldDescriptorProto) {
        if let Some(name) = self.0.get(field.type_name()) {
            field.type_name = Some(name.clone());
        }
    }
}

fn take_nested_enums(scope: &str, message: &mut DescriptorProto, taken: &mut Vec<(String, EnumDescriptorProto)>) {
    let scope = format!("{scope}.{}", message.name());
    taken.append(&mut take_enums(&scope, &mut message.enum_type));
    for nested in &mut message.nested_type {
        take_nested_enums(&scope, nested, taken);
    }
}

/// Those whose first value is not zero, with their full names.
fn take_enums(scope: &str, enums: &mut Vec<EnumDescriptorProto>) -> Vec<(String, EnumDescriptorProto)> {
    enums
        .extract_if(.., |kind| kind.value.first().is_some_and(|value| value.number() != 0))
        .map(|kind| (format!("{scope}.{}", kind.name()), kind))
        .collect()
}
