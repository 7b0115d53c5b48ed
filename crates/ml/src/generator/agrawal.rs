//! Loan applicants (Agrawal, Imielinski and Swami, *Database mining: a performance perspective*, 1993).
//!
//! Nine columns about a person, and ten rules, `function` 1 to 10, that say who is of group A, which is class 1. With
//! `perturbation` (0) the numbers are moved after the class was decided, by up to that share of their range.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::{Generator, class, column, rows, seed};
use crate::options::{OptionError, Options};
use crate::random::Random;
use crate::schema::{Kind, Label, Schema};

pub(super) const NAME: &str = "agrawal";

/// The stream.
#[derive(Debug)]
pub struct Agrawal {
    function: u8,
    perturbation: f64,
    random: Random,
}

/// One applicant.
struct Person {
    salary: f64,
    commission: f64,
    age: f64,
    education: f64,
    car: f64,
    zipcode: f64,
    house_value: f64,
    house_years: f64,
    loan: f64,
}

pub(super) fn make(options: &BTreeMap<String, String>) -> Result<Box<dyn Generator>, OptionError> {
    let options = Options::new(NAME, &["function", "perturbation", "seed"], options)?;
    Ok(Box::new(Agrawal {
        function: options.number("function", 1..=10)?.unwrap_or(1),
        perturbation: options.number("perturbation", 0.0..=1.0)?.unwrap_or(0.0),
        random: rows(seed(&options)?),
    }))
}

impl Agrawal {
    fn person(&mut self) -> Person {
        let random = &mut self.random;
        let mut between = |low: f64, high: f64| low + (high - low) * random.uniform();
        let salary = between(20_000.0, 150_000.0);
        let commission = if salary >= 75_000.0 { 0.0 } else { between(10_000.0, 75_000.0) };
        let mut whole = |low: f64, high: f64| between(low, high + 1.0).floor().min(high);
        let (age, education) = (whole(20.0, 80.0), whole(0.0, 4.0));
        let (car, zipcode) = (whole(1.0, 20.0), whole(0.0, 8.0));
        let house_years = whole(1.0, 30.0);
        let house_value = (9.0 - zipcode) * 100_000.0 * between(0.5, 1.5);
        let loan = between(0.0, 500_000.0);
        Person { salary, commission, age, education, car, zipcode, house_value, house_years, loan }
    }

    /// Moves a number by up to a share of its range, and not out of it.
    fn perturbed(&mut self, value: f64, range: RangeInclusive<f64>) -> f64 {
        if self.perturbation == 0.0 {
            return value;
        }
        let (low, high) = (*range.start(), *range.end());
        let moved = value + (high - low) * (2.0 * self.random.uniform() - 1.0) * self.perturbation;
        moved.clamp(low, high)
    }
}

/// The rules, in which a range of one thing depends on the age: young (below 40), middle (below 60) or old.
fn is_group_a(function: u8, person: &Person) -> bool {
    let Person { salary, commission, age, education, house_value, house_years, loan, .. } = *person;
    let by_age = |ranges: [RangeInclusive<f64>; 3]| {
        let [young, middle, old] = ranges;
        if age < 40.0 {
            young
        } else if age < 60.0 {
            middle
        } else {
            old
        }
    };
    let schooling = || by_age([0.0..=1.0, 1.0..=3.0, 2.0..=4.0]).contains(&education);
    let earning = || by_age([50e3..=100e3, 75e3..=125e3, 25e3..=75e3]);
    let income = salary + commission;
    match function {
        1 => !(40.0..60.0).contains(&age),
        2 => earning().contains(&salary),
        3 => schooling(),
        4 if schooling() => by_age([25e3..=75e3, 50e3..=100e3, 50e3..=100e3]).contains(&salary),
        4 => by_age([50e3..=100e3, 75e3..=125e3, 25e3..=75e3]).contains(&salary),
        5 if earning().contains(&salary) => {
            by_age([100e3..=300e3, 200e3..=400e3, 300e3..=500e3]).contains(&loan)
        }
        5 => by_age([200e3..=400e3, 300e3..=500e3, 100e3..=300e3]).contains(&loan),
        6 => earning().contains(&income),
        7 => 0.67 * income - 0.2 * loan - 20_000.0 > 0.0,
        8 => 0.67 * income - 5_000.0 * education - 20_000.0 > 0.0,
        9 => 0.67 * income - 5_000.0 * education - 0.2 * loan - 10_000.0 > 0.0,
        _ => {
            let equity = 0.1 * house_value * (house_years - 20.0).max(0.0);
            0.67 * income - 5_000.0 * education + 0.2 * equity - 10_000.0 > 0.0
        }
    }
}

impl Generator for Agrawal {
    fn schema(&self) -> Schema {
        let kinds = [
            ("salary", Kind::Number),
            ("commission", Kind::Number),
            ("age", Kind::Number),
            ("education", Kind::Category),
            ("car", Kind::Category),
            ("zipcode", Kind::Category),
            ("house_value", Kind::Number),
            ("house_years", Kind::Number),
            ("loan", Kind::Number),
        ];
        let columns = kinds.into_iter().map(|(name, kind)| column(name, kind)).collect();
        Schema { columns, label: Some(Label::Class) }
    }

    fn next_row(&mut self, row: &mut Vec<f64>) -> f64 {
        let person = self.person();
        let class = class(is_group_a(self.function, &person));
        row.clear();
        row.push(self.perturbed(person.salary, 20_000.0..=150_000.0));
        let commission = person.commission;
        row.push(if commission > 0.0 { self.perturbed(commission, 10_000.0..=75_000.0) } else { 0.0 });
        row.push(self.perturbed(person.age, 20.0..=80.0));
        // Codes of categories begin at 0.
        row.extend([person.education, person.car - 1.0, person.zipcode]);
        let most = (9.0 - person.zipcode) * 150_000.0;
        row.push(self.perturbed(person.house_value, most / 3.0..=most));
        row.push(self.perturbed(person.house_years, 1.0..=30.0));
        row.push(self.perturbed(person.loan, 0.0..=500_000.0));
        class
    }
}
