//! Neural networks from ONNX files.
//!
//! One thread, whole batches: the engine's own threads are the parallelism, and a batch of a given
//! content gives the same numbers each time.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rten::{Dimension, Model, RunOptions, ThreadPool, ValueOrView};
use rten_tensor::Tensor;
use rten_tensor::prelude::*;

/// The largest file that is taken.
pub(crate) const FILE_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// The longest row in or out.
const ROW_MAX: usize = 1 << 24;

/// Turns rows of one length into rows of another.
pub(crate) trait Embedder: Send + Sync {
    /// `shape` is that of `input`, the batch first. Answers row after row.
    fn embed(&self, input: Vec<f32>, shape: &[usize]) -> Result<Vec<f32>, EmbedError>;
}

/// Why a network was not taken, or did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EmbedError {
    #[error("read the network")]
    Load(#[source] rten::LoadError),
    #[error("the network has {inputs} inputs and {outputs} outputs; expected one of each")]
    Ports { inputs: usize, outputs: usize },
    #[error(
        "the network's input has the shape {shape}; expected a batch of fixed shape, such as [batch, 64]"
    )]
    InputShape { shape: String },
    #[error("the network's output has the shape {shape:?} for a batch of {rows}; expected one row for each")]
    OutputShape { shape: Vec<usize>, rows: usize },
    #[error("the network does not answer with FLOAT numbers")]
    OutputType,
    #[error("run the network")]
    Run(#[source] Box<rten::RunError>),
}

/// A loaded network.
pub(crate) struct Network {
    pub(crate) name: String,
    /// Numbers per row, in.
    pub(crate) input: usize,
    /// Numbers per row, out.
    pub(crate) output: usize,
    row_shape: Vec<usize>,
    embedder: Box<dyn Embedder>,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ARRAY<FLOAT> of {} -> ARRAY<FLOAT> of {}", self.name, self.input, self.output)
    }
}

impl Network {
    /// Reads an ONNX file's bytes and tries it once.
    pub(crate) fn load(name: &str, bytes: Vec<u8>) -> Result<Self, EmbedError> {
        let onnx = Onnx { model: Model::load(bytes).map_err(EmbedError::Load)? };
        let row_shape = onnx.row_shape()?;
        let input: usize = row_shape.iter().product();
        if input == 0 || input > ROW_MAX {
            return Err(EmbedError::InputShape { shape: format!("{row_shape:?} per row") });
        }
        let mut network =
            Network { name: name.to_lowercase(), input, output: 0, row_shape, embedder: Box::new(onnx) };
        // Two rows, so that a network which only takes one shows now and not in the middle of a stream.
        let answer = network.embedder.embed(vec![0.0; 2 * input], &network.shape(2))?;
        if answer.is_empty() || !answer.len().is_multiple_of(2) || answer.len() > 2 * ROW_MAX {
            return Err(EmbedError::OutputShape { shape: vec![answer.len()], rows: 2 });
        }
        network.output = answer.len() / 2;
        Ok(network)
    }

    /// Answers whole rows.
    pub(crate) fn run(&self, input: Vec<f32>) -> Result<Vec<f32>, EmbedError> {
        let rows = input.len() / self.input;
        if rows == 0 {
            return Ok(Vec::new());
        }
        let answer = self.embedder.embed(input, &self.shape(rows))?;
        if answer.len() != rows * self.output {
            return Err(EmbedError::OutputShape { shape: vec![answer.len()], rows });
        }
        Ok(answer)
    }

    fn shape(&self, rows: usize) -> Vec<usize> {
        std::iter::once(rows).chain(self.row_shape.iter().copied()).collect()
    }
}

struct Onnx {
    model: Model,
}

impl Onnx {
    fn row_shape(&self) -> Result<Vec<usize>, EmbedError> {
        let (inputs, outputs) = (self.model.input_ids().len(), self.model.output_ids().len());
        if (inputs, outputs) != (1, 1) {
            return Err(EmbedError::Ports { inputs, outputs });
        }
        let shape = self.model.input_shape(0).unwrap_or_default();
        let refused = || EmbedError::InputShape { shape: format!("{shape:?}") };
        let [Dimension::Symbolic(_), row @ ..] = shape.as_slice() else { return Err(refused()) };
        row.iter()
            .map(|dimension| match dimension {
                Dimension::Fixed(size) => Ok(*size),
                Dimension::Symbolic(_) => Err(refused()),
            })
            .collect()
    }
}

impl Embedder for Onnx {
    fn embed(&self, input: Vec<f32>, shape: &[usize]) -> Result<Vec<f32>, EmbedError> {
        let rows = shape[0];
        let input = Tensor::from_data(shape, input);
        let options = RunOptions::default().with_thread_pool(Some(one_thread()));
        let value = self
            .model
            .run_one(ValueOrView::from(input.view()), Some(options))
            .map_err(|error| EmbedError::Run(Box::new(error)))?;
        let output: Tensor<f32> = value.try_into().map_err(|_| EmbedError::OutputType)?;
        if output.shape().first() != Some(&rows) {
            return Err(EmbedError::OutputShape { shape: output.shape().to_vec(), rows });
        }
        Ok(output.into_data())
    }
}

fn one_thread() -> Arc<ThreadPool> {
    static POOL: OnceLock<Arc<ThreadPool>> = OnceLock::new();
    Arc::clone(POOL.get_or_init(|| Arc::new(ThreadPool::with_num_threads(1))))
}
