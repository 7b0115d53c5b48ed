//! Models to and from files: `EXPORT MODEL`, `IMPORT MODEL`.

use std::path::Path;
use std::sync::Arc;

use env::write_atomically;

use crate::answer::Answer;
use crate::error::SqlError;
use crate::models::reference::{At, Reference};
use crate::models::{Entry, Pin};
use crate::session::Inner;
use crate::sql::statement::{ExportForm, ExportModel, ImportModel};

/// The longest file that is read as a model.
const FILE_BYTES_MAX: u64 = 512 << 20;

impl Inner {
    /// A model by its name, or by `name@version`.
    pub(super) fn pinned(&self, model: &str) -> Result<(Arc<Entry>, Pin), SqlError> {
        let reference = Reference::parse(model)?;
        self.pinned_at(&reference.model, reference.at)
    }

    fn pinned_at(&self, model: &str, at: At) -> Result<(Arc<Entry>, Pin), SqlError> {
        let entry = self.shared.registry.known(model)?;
        let gone = || SqlError::invalid(format!("model {model}"), entry.no_such_version());
        let pin = entry.pin(at).ok_or_else(gone)?;
        Ok((Arc::clone(&entry), pin))
    }

    pub(super) fn export_to_file(&self, export: &ExportModel) -> Result<Answer, SqlError> {
        let at = export.version.map_or(At::Current, At::Version);
        let (_, pin) = self.pinned_at(&export.name, at)?;
        let bytes = match export.form {
            ExportForm::Onnx => graph(&pin)?,
            ExportForm::Json => pin.version.model().export().to_string().into_bytes(),
        };
        let (disk, path) = (self.shared.env.disk.as_ref(), Path::new(&export.file));
        write_atomically(disk, path, &bytes)
            .map_err(|error| SqlError::failed(format!("write {}", export.file), error))?;
        let (model, version, file) = (pin.model(), pin.version.number, &export.file);
        Ok(Answer::message(format!("version {version} of model {model} is in {file}")))
    }

    pub(super) async fn import_from_file(&self, import: &ImportModel) -> Result<Answer, SqlError> {
        let ImportModel { name, file } = import;
        let (disk, path) = (self.shared.env.disk.as_ref(), Path::new(file));
        let attempt = || format!("read {file}");
        let length = disk.len(path).map_err(|error| SqlError::failed(attempt(), error))?;
        if length > FILE_BYTES_MAX {
            let reason = format!("{length} bytes are more than the {FILE_BYTES_MAX} that are taken");
            return Err(SqlError::invalid(file.clone(), reason));
        }
        let bytes = disk.read(path).map_err(|error| SqlError::failed(attempt(), error))?;
        let exported = serde_json::from_slice(&bytes)
            .map_err(|error| SqlError::invalid(file.clone(), format!("is not an exported model: {error}")))?;
        let imported = ml::Model::import(exported)
            .map_err(|error| SqlError::invalid(file.clone(), error.to_string()))?;
        let version = self.import_model(name, imported).await?;
        Ok(Answer::message(format!("model {name} learns on as version {version}")))
    }
}

/// What a version answers, as an ONNX graph.
pub(super) fn graph(pin: &Pin) -> Result<Vec<u8>, SqlError> {
    let refused =
        |error: ml::OnnxError| SqlError::invalid(format!("model {}", pin.model()), error.to_string());
    pin.version.model().onnx().map_err(refused)
}
