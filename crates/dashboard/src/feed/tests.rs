//! The board: questions, answers and labels in any order.

use std::sync::Arc;

use super::board::{Board, Members};
use super::event::{Answer, Body, Event};
use crate::Gallery;
use crate::wire::Kind;

pub(super) fn gallery() -> Gallery {
    let name = |name: &str| name.to_owned();
    Gallery {
        enrol: name("enrol"),
        placed: name("placed"),
        uploads: name("uploads"),
        assigned: name("assigned"),
        labels: name("labels"),
        model: name("segments"),
        raw_model: name("segments_raw"),
        width: 2,
        height: 2,
    }
}

fn question(kind: Kind, id: &str, at_ms: i64) -> Event {
    Event { at_ms, id: id.into(), body: Body::Question(kind, Some("0ag0".into())) }
}

fn answer(kind: Kind, id: &str, at_ms: i64, segment: u32) -> Event {
    let answer = Answer { at_ms, segment: Some(segment), segment_raw: Some(0), model_version: Some(3) };
    Event { at_ms, id: id.into(), body: Body::Answer(kind, answer) }
}

fn label(id: &str, label: &str) -> Event {
    Event { at_ms: 0, id: id.into(), body: Body::Label(label.into()) }
}

#[test]
fn any_order_of_question_answer_and_label_gives_the_same() {
    let kind = Kind::Enrolled;
    let events = [question(kind, "a", 100), answer(kind, "a", 140, 2), label("a", "7")];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut board = Board::new();
        order.into_iter().for_each(|at| board.take(events[at].clone()));
        let images = board.images();
        assert_eq!(images.len(), 1, "{order:?}");
        assert_eq!((images[0].segment, images[0].latency_ms), (Some(2), Some(40)), "{order:?}");
        assert_eq!(images[0].label.as_deref(), Some("7"), "{order:?}");
        assert_eq!(board.scores().all.judged, 1, "{order:?}");
        let clusters = board.clusters(Members::Included);
        assert_eq!((clusters[0].size, clusters[0].labels.as_slice()), (1, &[("7".to_owned(), 1)][..]));
        assert_eq!(clusters[0].mean.as_deref(), Some("0ag0"));
        // The answer's wait is only known if the question was there; it always is when read in order of time.
        assert_eq!(
            board.latencies().enrolled.count,
            u64::from(order.iter().position(|&n| n == 0) < order.iter().position(|&n| n == 1))
        );
    }
}

#[test]
fn a_label_that_comes_twice_judges_once_and_a_new_answer_is_judged_anew() {
    let mut board = Board::new();
    board.take(question(Kind::Enrolled, "a", 0));
    board.take(answer(Kind::Enrolled, "a", 5, 1));
    board.take(label("a", "7"));
    board.take(label("a", "7"));
    assert_eq!(board.scores().all.judged, 1);
    board.take(answer(Kind::Enrolled, "a", 9, 2));
    assert_eq!((board.scores().all.judged, board.images().len()), (2, 2));
}

#[test]
fn an_upload_is_not_an_enrolment_of_the_same_name() {
    let mut board = Board::new();
    board.take(question(Kind::Enrolled, "a", 0));
    board.take(answer(Kind::Uploaded, "a", 5, 1));
    assert_eq!((board.images().len(), board.answered()), (0, 1));
}

#[test]
fn a_flood_drops_images_but_not_the_answer_somebody_waits_for() {
    let mut board = Board::new();
    for n in 0..500 {
        if n == 3 {
            board.take(question(Kind::Uploaded, "mine", 0));
            board.take(answer(Kind::Uploaded, "mine", 5, 1));
        }
        let id = n.to_string();
        board.take(question(Kind::Enrolled, &id, 0));
        board.take(answer(Kind::Enrolled, &id, 5, 1));
    }
    assert!(board.is_urgent());
    let frame = board.take_images().unwrap();
    assert!(frame.images.iter().any(|image| image.id.as_ref() == "mine"));
    assert_eq!(frame.images.len() as u64 + frame.skipped, 501);
    assert!(board.take_images().is_none());
}

#[test]
fn nothing_grows_without_limit() {
    let mut board = Board::new();
    for n in 0..30_000_u32 {
        let id: Arc<str> = n.to_string().into();
        board.take(question(Kind::Enrolled, &id, 0));
        board.take(answer(Kind::Enrolled, &id, 5, n));
        board.take(label(&id, &id));
    }
    assert_eq!((board.clusters(Members::Included).len(), board.images().len()), (64, 48));
    assert_eq!((board.scores().all.judged, board.answered()), (64, 30_000));
}
