//! A graph that is being drawn: operators whose results have names, and constants.

use super::wire::{DOUBLE, INT64, Message, STRING};

/// The versions of the operators' sets, and of the file's form.
const OPERATORS: i64 = 17;
const ML_OPERATORS: i64 = 3;
const FORM: i64 = 8;

/// The operators of `ai.onnx.ml`.
const ML: &str = "ai.onnx.ml";

/// A graph on its way to a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    nodes: Vec<Message>,
    constants: Vec<Message>,
}

/// A setting of an operator.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Attribute<'a> {
    Int(i64),
    Ints(&'a [i64]),
    Text(&'a str),
    Texts(&'a [&'a str]),
    Doubles(&'a [f64]),
}

/// The values of a constant.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Data<'a> {
    Doubles(&'a [f64]),
    Ints(&'a [i64]),
    Texts(&'a [&'a str]),
}

impl Graph {
    /// The name of what a graph takes.
    pub(crate) const ROWS: &'static str = "features";

    /// Adds an operator; the name of its result.
    pub(crate) fn op(&mut self, operator: &str, inputs: &[&str]) -> String {
        self.op_with(operator, inputs, &[])
    }

    /// The same with settings.
    pub(crate) fn op_with(
        &mut self,
        operator: &str,
        inputs: &[&str],
        attributes: &[(&str, Attribute<'_>)],
    ) -> String {
        let name = format!("{operator}_{}", self.nodes.len());
        self.add(operator, inputs, &name, attributes);
        name
    }

    /// Adds an operator whose result has a settled name.
    pub(crate) fn named(&mut self, operator: &str, inputs: &[&str], name: &str) {
        self.add(operator, inputs, name, &[]);
    }

    fn add(&mut self, operator: &str, inputs: &[&str], name: &str, attributes: &[(&str, Attribute<'_>)]) {
        let mut node = inputs.iter().fold(Message::default(), |node, input| node.text(1, input));
        node = node.text(2, name).text(3, name).text(4, operator);
        for (name, attribute) in attributes {
            node = node.message(5, &attribute.message(name));
        }
        if operator.starts_with("TreeEnsemble") {
            node = node.text(7, ML);
        }
        self.nodes.push(node);
    }

    /// Adds a constant; its name.
    pub(crate) fn constant(&mut self, shape: &[usize], data: Data<'_>) -> String {
        let name = format!("constant_{}", self.constants.len());
        self.constants.push(data.tensor(shape).text(8, &name));
        name
    }

    /// A row of numbers to be combined with every row.
    pub(crate) fn row(&mut self, numbers: &[f64]) -> String {
        self.constant(&[1, numbers.len()], Data::Doubles(numbers))
    }

    /// Each column less an offset, divided by a divisor; one that is infinite makes 0 of the column.
    pub(crate) fn affine(&mut self, rows: &str, offsets: &[f64], divisors: &[f64]) -> String {
        let (offsets, divisors) = (self.row(offsets), self.row(divisors));
        let moved = self.op("Sub", &[rows, &offsets]);
        self.op("Div", &[&moved, &divisors])
    }

    /// What is not a number becomes the number of its column.
    pub(crate) fn filled(&mut self, rows: &str, fill: &[f64]) -> String {
        let (gaps, fill) = (self.op("IsNaN", &[rows]), self.row(fill));
        self.op("Where", &[&gaps, &fill, rows])
    }

    /// No number is beyond these.
    pub(crate) fn clipped(&mut self, numbers: &str, least: f64, most: f64) -> String {
        let bounds = [least, most].map(|bound| self.constant(&[], Data::Doubles(&[bound])));
        self.op("Clip", &[numbers, &bounds[0], &bounds[1]])
    }

    /// Weighted sums: one column per list of weights, with its number added.
    pub(crate) fn sums<W: AsRef<[f64]>>(&mut self, rows: &str, weights: &[W], added: &[f64]) -> String {
        let dim = weights.first().map_or(0, |weights| weights.as_ref().len());
        let mut numbers = Vec::with_capacity(dim * weights.len());
        for column in 0..dim {
            numbers.extend(weights.iter().map(|weights| weights.as_ref()[column]));
        }
        let (weights, added) =
            (self.constant(&[dim, weights.len()], Data::Doubles(&numbers)), self.row(added));
        let products = self.op("MatMul", &[rows, &weights]);
        self.op("Add", &[&products, &added])
    }

    /// For each place the numbers there, of which all places have as many.
    pub(crate) fn look_up(&mut self, place: &str, numbers: &[Vec<f64>]) -> String {
        let width = numbers.first().map_or(0, Vec::len);
        let table = self.constant(&[numbers.len(), width], Data::Doubles(&numbers.concat()));
        self.op("Gather", &[&table, place])
    }

    /// For each place the numbers there, of which all places have as many, in a shape whose first size counts the places.
    pub(crate) fn look_up_in(&mut self, place: &str, shape: &[usize], numbers: &[f64]) -> String {
        let table = self.constant(shape, Data::Doubles(numbers));
        self.op("Gather", &[&table, place])
    }

    /// These columns of each row.
    pub(crate) fn columns(&mut self, rows: &str, columns: &[u32]) -> String {
        let columns: Vec<i64> = columns.iter().map(|&column| i64::from(column)).collect();
        let columns = self.constant(&[columns.len()], Data::Ints(&columns));
        self.op_with("Gather", &[rows, &columns], &[("axis", Attribute::Int(1))])
    }

    /// Rows by columns, made ready to be combined with rows by classes by columns.
    pub(crate) fn before_classes(&mut self, rows: &str) -> String {
        let axes = self.constant(&[1], Data::Ints(&[1]));
        self.op("Unsqueeze", &[rows, &axes])
    }

    /// Numbers for each class and column, to be combined with [`Graph::before_classes`].
    pub(crate) fn by_class(&mut self, classes: usize, numbers: &[f64]) -> String {
        self.constant(&[1, classes, numbers.len() / classes.max(1)], Data::Doubles(numbers))
    }

    /// Adds up what the columns say for each class; one whose value is missing says nothing.
    pub(crate) fn sum_where_known(&mut self, values: &str, said: &str) -> String {
        let (gaps, nothing) = (self.op("IsNaN", &[values]), self.constant(&[1], Data::Doubles(&[0.0])));
        let said = self.op("Where", &[&gaps, &nothing, said]);
        let axes = self.constant(&[1], Data::Ints(&[2]));
        self.op_with("ReduceSum", &[&said, &axes], &[("keepdims", Attribute::Int(0))])
    }

    /// 1 where both are equal, else 0.
    pub(crate) fn equal(&mut self, one: &str, other: &str) -> String {
        let equal = self.op("Equal", &[one, other]);
        self.as_numbers(&equal)
    }

    /// 1 where the numbers are greater, else 0.
    pub(crate) fn greater(&mut self, numbers: &str, than: f64) -> String {
        let than = self.constant(&[1], Data::Doubles(&[than]));
        let greater = self.op("Greater", &[numbers, &than]);
        self.as_numbers(&greater)
    }

    /// No number is below this.
    pub(crate) fn at_least(&mut self, numbers: &str, least: f64) -> String {
        let least = self.constant(&[1], Data::Doubles(&[least]));
        self.op("Max", &[numbers, &least])
    }

    fn as_numbers(&mut self, truths: &str) -> String {
        self.op_with("Cast", &[truths], &[("to", Attribute::Int(DOUBLE))])
    }

    /// The sum of each row, as a column.
    pub(crate) fn total(&mut self, rows: &str) -> String {
        let axes = self.constant(&[1], Data::Ints(&[1]));
        self.op("ReduceSum", &[rows, &axes])
    }

    /// Columns as parts of their sum, which are even where that is 0.
    pub(crate) fn parts(&mut self, columns: &str, count: usize) -> String {
        let (total, zero) = (self.total(columns), self.row(&[0.0]));
        let even = self.row(&vec![1.0 / count as f64; count]);
        let some = self.op("Greater", &[&total, &zero]);
        let parts = self.op("Div", &[columns, &total]);
        self.op("Where", &[&some, &parts, &even])
    }

    /// Columns beside each other.
    pub(crate) fn beside(&mut self, parts: &[&str]) -> String {
        self.op_with("Concat", parts, &[("axis", Attribute::Int(1))])
    }

    /// Numbers that sum to 1 in each row, by their exponentials.
    pub(crate) fn softmax(&mut self, sums: &str) -> String {
        self.op_with("Softmax", &[sums], &[("axis", Attribute::Int(1))])
    }

    /// Of two classes, the probabilities by the second one's.
    pub(crate) fn with_the_other(&mut self, second: &str) -> String {
        let one = self.row(&[1.0]);
        let first = self.op("Sub", &[&one, second]);
        self.beside(&[&first, second])
    }

    /// The place of the nearest centre.
    pub(super) fn nearest(&mut self, rows: &str, centers: &[Vec<f64>], name: &str) {
        let dim = centers.first().map_or(0, Vec::len);
        let rows = self.before_classes(rows);
        let centers = self.constant(&[1, centers.len(), dim], Data::Doubles(&centers.concat()));
        let between = self.op("Sub", &[&rows, &centers]);
        let squares = self.op("Mul", &[&between, &between]);
        let axes = self.constant(&[1], Data::Ints(&[2]));
        let distances = self.op_with("ReduceSum", &[&squares, &axes], &[("keepdims", Attribute::Int(0))]);
        self.add(
            "ArgMin",
            &[&distances],
            name,
            &[("axis", Attribute::Int(1)), ("keepdims", Attribute::Int(0))],
        );
    }

    /// The file. Outputs are told by name, kind, and how wide they are where they are more than one column.
    pub(super) fn finish(self, name: &str, dim: usize, outputs: &[(&str, i64, Option<usize>)]) -> Vec<u8> {
        let mut graph = self.nodes.iter().fold(Message::default(), |graph, node| graph.message(1, node));
        graph = graph.text(2, name);
        graph = self.constants.iter().fold(graph, |graph, constant| graph.message(5, constant));
        graph = graph.message(11, &described(Self::ROWS, DOUBLE, Some(dim)));
        for &(name, kind, width) in outputs {
            graph = graph.message(12, &described(name, kind, width));
        }
        let sets = [("", OPERATORS), (ML, ML_OPERATORS)];
        let mut model = Message::default().int(1, FORM).text(2, "pelton").message(7, &graph);
        for (domain, version) in sets {
            model = model.message(8, &Message::default().text(1, domain).int(2, version));
        }
        model.0
    }
}

/// What goes in or out: any number of rows, and how wide they are.
fn described(name: &str, kind: i64, width: Option<usize>) -> Message {
    let rows = Message::default().text(2, "rows");
    let mut shape = Message::default().message(1, &rows);
    if let Some(width) = width {
        shape = shape.message(1, &Message::default().int(1, count(width)));
    }
    let tensor = Message::default().int(1, kind).message(2, &shape);
    Message::default().text(1, name).message(2, &Message::default().message(1, &tensor))
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Attribute<'_> {
    fn message(self, name: &str) -> Message {
        let message = Message::default().text(1, name);
        match self {
            Attribute::Int(number) => message.int(3, number).int(20, 2),
            Attribute::Ints(numbers) => {
                numbers.iter().fold(message, |message, &number| message.int(8, number)).int(20, 7)
            }
            Attribute::Text(text) => message.text(4, text).int(20, 3),
            Attribute::Texts(texts) => {
                texts.iter().fold(message, |message, text| message.text(9, text)).int(20, 8)
            }
            Attribute::Doubles(numbers) => {
                let tensor = Data::Doubles(numbers).tensor(&[numbers.len()]).text(8, name);
                message.message(5, &tensor).int(20, 4)
            }
        }
    }
}

impl Data<'_> {
    fn tensor(self, shape: &[usize]) -> Message {
        let tensor = shape.iter().fold(Message::default(), |tensor, &size| tensor.int(1, count(size)));
        match self {
            Data::Doubles(numbers) => {
                let raw: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
                tensor.int(2, DOUBLE).bytes(9, &raw)
            }
            Data::Ints(numbers) => {
                let raw: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
                tensor.int(2, INT64).bytes(9, &raw)
            }
            Data::Texts(texts) => {
                texts.iter().fold(tensor.int(2, STRING), |tensor, text| tensor.text(6, text))
            }
        }
    }
}
