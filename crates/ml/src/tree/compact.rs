//! Takes out of a tree what nothing leads to any more.

use std::collections::VecDeque;

/// A place among the nodes that a node leads to, and how many nodes lie there.
pub(crate) type Link<'a> = (&'a mut u32, u32);

/// A node that knows where those below it are.
pub(crate) trait Linked {
    /// The places it leads to, at most two.
    fn links(&mut self) -> [Option<Link<'_>>; 2];
}

/// Lays the nodes that the first one leads to anew, level by level, so that each comes after what leads to it; the
/// others go. No node may be reached twice.
pub(crate) fn compact<N: Linked>(nodes: &mut Vec<N>) {
    let mut old: Vec<Option<N>> = nodes.drain(..).map(Some).collect();
    let mut queue = VecDeque::from([0_u32]);
    let mut next = 1;
    while let Some(at) = queue.pop_front() {
        let Some(mut node) = old.get_mut(at as usize).and_then(Option::take) else { return };
        for (start, count) in node.links().into_iter().flatten() {
            queue.extend(*start..*start + count);
            *start = next;
            next += count;
        }
        nodes.push(node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Thing(char, Option<u32>, Option<u32>);

    impl Linked for Thing {
        fn links(&mut self) -> [Option<Link<'_>>; 2] {
            [self.1.as_mut().map(|start| (start, 2)), self.2.as_mut().map(|start| (start, 1))]
        }
    }

    #[test]
    fn what_nothing_leads_to_is_gone_and_the_rest_leads_where_it_led() {
        let leaf = |name| Thing(name, None, None);
        let mut nodes = vec![
            Thing('r', Some(3), Some(6)),
            leaf('x'),
            leaf('y'),
            leaf('a'),
            Thing('b', Some(7), None),
            leaf('z'),
            leaf('o'),
            leaf('c'),
            leaf('d'),
        ];
        compact(&mut nodes);
        let names: String = nodes.iter().map(|node| node.0).collect();
        assert_eq!(names, "rabocd");
        assert_eq!((nodes[0].1, nodes[0].2, nodes[2].1), (Some(1), Some(3), Some(4)));
    }
}
