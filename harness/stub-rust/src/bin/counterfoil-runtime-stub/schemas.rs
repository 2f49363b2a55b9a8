//! The schemas that payloads are decoded with.

use std::collections::{HashMap, HashSet};

use prost::Message;
use prost_reflect::{DescriptorPool, MessageDescriptor};
use prost_types::{DescriptorProto, FileDescriptorProto, FileDescriptorSet};

use crate::editions::{self, ImageFeatures, Rewritten};
use crate::moved_enums::MovedEnums;

/// A schema, as far as prost-reflect can read it.
#[derive(Debug, Default)]
pub struct Schema {
    pool: DescriptorPool,
    /// Each message that is left out, and why.
    left_out: HashMap<String, String>,
    moved_enums: MovedEnums,
}

impl Schema {
    /// Adds the files of an image; those that were there stay as they are.
    ///
    /// # Errors
    /// When the image cannot be read, an import is missing, or the descriptors are not a valid schema.
    pub fn add(&mut self, file_descriptor_set: &[u8]) -> Result<(), String> {
        let no_image = |error| format!("no image: {error}");
        let mut image = FileDescriptorSet::decode(file_descriptor_set).map_err(no_image)?;
        let features = ImageFeatures::decode(file_descriptor_set).map_err(no_image)?;
        self.refuse_missing_imports(&image)?;
        let reasons = self.rewrite_editions(&mut image, &features);
        let (unreadable, mut readable): (Vec<_>, Vec<_>) =
            image.file.into_iter().partition(|file| reasons.contains_key(file.name()));
        for file in &unreadable {
            let reason = &reasons[file.name()];
            self.left_out.extend(message_names(file).map(|name| (name, reason.clone())));
        }
        for file in &mut readable {
            self.moved_enums.follow(file);
        }
        self.pool.add_file_descriptor_protos(readable).map_err(|error| error.to_string())
    }

    fn refuse_missing_imports(&self, image: &FileDescriptorSet) -> Result<(), String> {
        let names: HashSet<_> = image.file.iter().map(FileDescriptorProto::name).collect();
        for file in &image.file {
            let known =
                |import: &&String| names.contains(import.as_str()) || self.pool.get_file_by_name(import).is_some();
            if let Some(missing) = file.dependency.iter().find(|import| !known(import)) {
                return Err(format!("{} imports {missing}, which is missing", file.name()));
            }
        }
        Ok(())
    }

    /// Returns the files whose edition is unknown, and those that import one, by name and with the reason.
    fn rewrite_editions(&mut self, image: &mut FileDescriptorSet, features: &ImageFeatures) -> HashMap<String, String> {
        let (mut unreadable, mut added) = (HashMap::new(), Vec::new());
        for (file, features) in image.file.iter_mut().zip(&features.files) {
            match editions::rewrite(file, features) {
                Ok(Rewritten::No) => {}
                Ok(Rewritten::Yes) => added.append(&mut self.moved_enums.move_out_of(file)),
                Err(reason) => {
                    unreadable.insert(file.name().to_owned(), reason);
                }
            }
        }
        image.file.append(&mut added);
        spread_to_importers(image, &mut unreadable);
        unreadable
    }

    pub fn message_count(&self) -> u32 {
        u32::try_from(self.pool.all_messages().len()).unwrap_or(u32::MAX)
    }

    pub fn message_names(&self) -> impl Iterator<Item = String> {
        let messages = self.pool.all_messages().filter(|message| !message.is_map_entry());
        messages.map(|message| message.full_name().to_owned())
    }

    /// # Errors
    /// Says why this schema does not have the message.
    pub fn message(&self, name: &str) -> Result<MessageDescriptor, String> {
        self.pool.get_message_by_name(name).ok_or_else(|| match self.left_out.get(name) {
            Some(reason) => format!("{name}: {reason}"),
            None => format!("the schema has no message {name:?}"),
        })
    }
}

/// Adds those who import an unreadable file, with its reason.
fn spread_to_importers(image: &FileDescriptorSet, unreadable: &mut HashMap<String, String>) {
    loop {
        let importer = image.file.iter().filter(|file| !unreadable.contains_key(file.name())).find_map(|file| {
            let reason = file.dependency.iter().find_map(|import| unreadable.get(import))?;
            Some((file.name().to_owned(), reason.clone()))
        });
        let Some((name, reason)) = importer else { return };
        unreadable.insert(name, reason);
    }
}

/// The full name of every message that a file declares.
fn message_names(file: &FileDescriptorProto) -> impl Iterator<Item = String> {
    let scope = if file.package().is_empty() { String::new() } else { format!("{}.", file.package()) };
    file.message_type.iter().flat_map(move |message| nested_names(&scope, message))
}

fn nested_names(scope: &str, message: &DescriptorProto) -> Vec<String> {
    let name = format!("{scope}{}", message.name());
    let scope = format!("{name}.");
    let nested = message.nested_type.iter().flat_map(|nested| nested_names(&scope, nested));
    nested.chain([name.clone()]).collect()
}
