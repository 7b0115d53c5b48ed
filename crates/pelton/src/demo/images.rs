//! The streamed half of the handwritten digits.

use anyhow::Context;

const STREAM: &str = include_str!("../../../../examples/digits/stream.csv");
/// Pixels of an image, 8 rows of 8.
pub(crate) const PIXELS: usize = 64;
/// Every so manieth image is only asked about.
const ASK_EVERY: usize = 3;
/// Stands between an image's id and the number of the pass it comes in.
const PASS_MARK: char = '#';

/// What an image is there for. One that is asked about is never enrolled: nobody learns from what he is judged on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The model learns from it.
    Enrol,
    /// The model is asked about it.
    Ask,
}

/// One handwritten digit.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    /// Its name in the data.
    pub(crate) id: String,
    /// Which digit it is; only the scores know.
    pub(crate) label: String,
    /// Brightness, 0 to 16, row by row.
    pub(crate) pixels: Vec<f32>,
    /// What it is there for.
    pub(crate) role: Role,
}

impl Image {
    /// Its id when it comes for the `pass`-th time, counted from 1.
    pub(crate) fn id_in(&self, pass: u32) -> String {
        if pass == 1 { self.id.clone() } else { format!("{}{PASS_MARK}{pass}", self.id) }
    }

    /// The same image under another name, to send more than there are.
    pub(crate) fn renamed(mut self, copy: usize) -> Self {
        self.id = format!("{}-{copy}", self.id);
        self
    }
}

/// The id of the image's first pass.
pub(crate) fn first_pass(id: &str) -> &str {
    id.split(PASS_MARK).next().unwrap_or(id)
}

/// All images of the streamed half, in the order of the file.
pub(crate) fn all() -> anyhow::Result<Vec<Image>> {
    let rows = STREAM.lines().skip(1).enumerate();
    rows.map(|(at, line)| parse(at, line).with_context(|| format!("row {at} of the images"))).collect()
}

fn parse(at: usize, line: &str) -> anyhow::Result<Image> {
    let mut fields = line.split(',');
    let id = fields.next().context("no id")?.to_owned();
    let label = fields.next().context("no label")?.to_owned();
    let pixels: Vec<f32> = fields.map(str::parse).collect::<Result<_, _>>()?;
    anyhow::ensure!(pixels.len() == PIXELS, "{} pixels", pixels.len());
    let role = if at % ASK_EVERY == ASK_EVERY - 1 { Role::Ask } else { Role::Enrol };
    Ok(Image { id, label, pixels, role })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nobody_is_enrolled_and_asked_about() {
        let images = all().unwrap();
        let ids = |role| images.iter().filter(move |image| image.role == role).map(|image| &image.id);
        let enrolled: HashSet<_> = ids(Role::Enrol).collect();
        assert!(enrolled.len() > 500 && ids(Role::Ask).count() > 250);
        assert!(ids(Role::Ask).all(|id| !enrolled.contains(id)));
        assert_eq!(images.iter().map(|image| &image.id).collect::<HashSet<_>>().len(), images.len());
    }

    #[test]
    fn a_later_pass_has_its_own_ids() {
        let image = all().unwrap().swap_remove(0);
        assert_ne!(image.id_in(2), image.id_in(1));
        assert_eq!(first_pass(&image.id_in(2)), image.id);
    }
}
