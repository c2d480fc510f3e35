//! Grown trees as flat lists, and scoring many rows with them.
//!
//! A node is eight bytes: the right child stands behind the left one, a leaf is its own left child
//! and no value is larger than its threshold. So all rows take as many steps as the tree is deep,
//! without a branch that could be foretold wrongly, and sixteen of them step side by side. Rows are
//! turned into columns in blocks that stay in the first cache, and each tree sees a whole block.

use serde::{Deserialize, Serialize};

use super::boost::{logistic, softmax};
use super::{Rows, TreeError};

/// Rows that step side by side.
const LANES: usize = 16;

/// Fewer rows than this walk one by one, through several trees at once: most lanes of a block would
/// step for nothing.
const FEW: usize = 6;

/// Trees that one row walks at the same time.
const ABREAST: usize = 8;

/// So many times the lanes are a block.
const GROUPS: usize = 4;

/// A split, or a leaf that is its own left child.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Node {
    /// What is larger goes right.
    pub(super) threshold: f32,
    pub(super) column: u16,
    /// Counted from the first node of its tree.
    pub(super) left: u16,
}

/// One tree's place in the list of nodes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    begin: usize,
    end: usize,
    depth: u8,
}

/// Trees that were grown. Saved, they take about 13 bytes a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Saved", into = "Saved")]
pub struct Trees {
    pub(super) classes: u32,
    /// Scores of a row that no tree has seen.
    pub(super) base: Vec<f32>,
    /// The median of each column in the rows that were learned from; 0 where all is missing.
    pub(super) usual: Vec<f32>,
    nodes: Vec<Node>,
    /// What each node would give, were it a leaf.
    pub(super) values: Vec<f32>,
    places: Vec<Place>,
}

impl Trees {
    pub(super) fn begun(rows: Rows<'_>, classes: u32, base: Vec<f32>) -> Self {
        let mut column = Vec::with_capacity(rows.count());
        let usual = (0..rows.width()).map(|at| {
            column.clear();
            column.extend(rows.iter().map(|row| row[at]).filter(|value| !value.is_nan()));
            let middle = column.len() / 2;
            if column.is_empty() {
                return 0.0;
            }
            column.select_nth_unstable_by(middle, f32::total_cmp).1.clamp(f32::MIN, f32::MAX)
        });
        let usual = usual.collect();
        let (nodes, values, places) = (Vec::new(), Vec::new(), Vec::new());
        Self { classes, base, usual, nodes, values, places }
    }

    pub(super) fn push(&mut self, tree: impl Iterator<Item = (Node, f32)>) {
        let begin = self.nodes.len();
        for (node, value) in tree {
            self.nodes.push(node);
            self.values.push(value);
        }
        let depth = depth(&self.nodes[begin..]).unwrap_or_default();
        self.places.push(Place { begin, end: self.nodes.len(), depth });
    }

    /// Forgets all trees but the first.
    pub(super) fn cut(&mut self, trees: usize) {
        let end = self.places.get(trees).map_or(self.nodes.len(), |place| place.begin);
        self.places.truncate(trees);
        self.nodes.truncate(end);
        self.values.truncate(end);
    }

    /// Columns of a row.
    pub const fn width(&self) -> usize {
        self.usual.len()
    }

    /// Scores of a row: one for two classes, else one a class.
    pub const fn outputs(&self) -> usize {
        self.base.len()
    }

    /// How many trees there are.
    pub const fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is no tree: every row gets the same scores.
    pub const fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Nodes and values of one tree.
    pub(super) fn tree(&self, at: usize) -> (&[Node], &[f32]) {
        let Place { begin, end, .. } = self.places[at];
        (&self.nodes[begin..end], &self.values[begin..end])
    }

    /// Puts the scores of all rows into `out`, row after row: the log-odds of class 1 for two
    /// classes, else one score a class, which softmax makes a probability.
    ///
    /// # Errors
    /// When rows have another width than those that were learned from.
    pub fn scores(&self, rows: Rows<'_>, out: &mut Vec<f32>) -> Result<(), TreeError> {
        if rows.width() != self.width() {
            return Err(TreeError::Width { expected: self.width(), given: rows.width() });
        }
        let outputs = self.outputs();
        out.clear();
        out.reserve(rows.count() * outputs);
        (0..rows.count()).for_each(|_| out.extend_from_slice(&self.base));
        if rows.count() < FEW {
            self.few(rows, out);
            return Ok(());
        }
        let mut turned = vec![[0.0; LANES]; rows.width() * GROUPS];
        let values = rows.values.chunks(rows.width() * LANES * GROUPS);
        for (values, out) in values.zip(out.chunks_mut(outputs * LANES * GROUPS)) {
            self.block(values, &mut turned, out);
        }
        Ok(())
    }

    /// As [`Self::scores`], as probabilities: of class 1 for two classes, else of each class.
    ///
    /// # Errors
    /// As there.
    pub fn probabilities(&self, rows: Rows<'_>, out: &mut Vec<f32>) -> Result<(), TreeError> {
        self.scores(rows, out)?;
        if self.outputs() == 1 {
            out.iter_mut().for_each(|score| *score = logistic(f64::from(*score)) as f32);
            return Ok(());
        }
        let mut shares = vec![0.0; self.outputs()];
        for scores in out.chunks_exact_mut(self.outputs()) {
            softmax(scores.iter().map(|score| f64::from(*score)), &mut shares);
            scores.iter_mut().zip(&shares).for_each(|(score, share)| *score = *share as f32);
        }
        Ok(())
    }

    fn block(&self, values: &[f32], turned: &mut [[f32; LANES]], out: &mut [f32]) {
        let (width, outputs) = (self.width(), self.outputs());
        for (at, row) in values.chunks_exact(width).enumerate() {
            let (group, lane) = (at / LANES, at % LANES);
            for (turned, value) in turned[group * width..][..width].iter_mut().zip(row) {
                turned[lane] = *value;
            }
        }
        // Lanes without a row hold an older one's values, and nobody asks what comes of them.
        for (at, place) in self.places.iter().enumerate() {
            let output = if outputs == 1 { 0 } else { at % outputs };
            let nodes = &self.nodes[place.begin..place.end];
            let leaves = &self.values[place.begin..place.end];
            let groups = turned.chunks_exact(width).zip(out.chunks_mut(outputs * LANES));
            for (columns, out) in groups {
                let ends = descend(nodes, place.depth, columns);
                for (out, end) in out.chunks_exact_mut(outputs).zip(ends) {
                    out[output] += leaves[usize::from(end)];
                }
            }
        }
    }
}

impl Trees {
    /// Adds the scores of a few rows, tree after tree as a block does. A row walks several trees
    /// abreast: each step waits for the one before it, and no tree for another. Trees that one row
    /// has walked are still near for the next.
    fn few(&self, rows: Rows<'_>, out: &mut [f32]) {
        let outputs = self.outputs();
        for (chunk, places) in self.places.chunks(ABREAST).enumerate() {
            let mut begins = [0; ABREAST];
            for (begin, place) in begins.iter_mut().zip(places) {
                *begin = place.begin;
            }
            let depth = places.iter().map(|place| place.depth).max().unwrap_or(0);
            for (row, out) in rows.iter().zip(out.chunks_exact_mut(outputs)) {
                // Places without a tree walk down the first one, and nobody asks where.
                let mut at = begins;
                for _ in 0..depth {
                    for (at, begin) in at.iter_mut().zip(begins) {
                        let node = self.nodes[*at];
                        let right = usize::from(row[usize::from(node.column)] > node.threshold);
                        *at = begin + usize::from(node.left) + right;
                    }
                }
                for (lane, at) in at.into_iter().take(places.len()).enumerate() {
                    let tree = chunk * ABREAST + lane;
                    out[if outputs == 1 { 0 } else { tree % outputs }] += self.values[at];
                }
            }
        }
    }
}

/// Where sixteen rows end up.
fn descend(nodes: &[Node], depth: u8, columns: &[[f32; LANES]]) -> [u16; LANES] {
    let mut at = [0_u16; LANES];
    for _ in 0..depth {
        for (lane, at) in at.iter_mut().enumerate() {
            let node = nodes[usize::from(*at)];
            let value = columns[usize::from(node.column)][lane];
            *at = node.left + u16::from(value > node.threshold);
        }
    }
    at
}

/// How many steps it takes to the farthest leaf; absent where this is no tree.
fn depth(nodes: &[Node]) -> Option<u8> {
    let mut depths = vec![0_u8; nodes.len()];
    let mut most = 0;
    for (at, node) in nodes.iter().enumerate() {
        let left = usize::from(node.left);
        if left == at {
            most = most.max(depths[at]);
            continue;
        }
        if left < at || left + 1 >= nodes.len() || !node.threshold.is_finite() {
            return None;
        }
        let below = depths[at].checked_add(1)?;
        depths[left] = depths[left].max(below);
        depths[left + 1] = depths[left + 1].max(below);
    }
    (!nodes.is_empty()).then_some(most)
}

/// What is written down: what follows from it is not, and no infinity, which JSON lacks: the
/// threshold of a leaf is written as 0.
#[derive(Serialize, Deserialize)]
struct Saved {
    classes: u32,
    base: Vec<f32>,
    usual: Vec<f32>,
    trees: Vec<Vec<(Node, f32)>>,
}

impl From<Trees> for Saved {
    fn from(trees: Trees) -> Self {
        let one = |at| {
            let (nodes, values) = trees.tree(at);
            let written = |(at, node): (usize, &Node)| match node.threshold {
                _ if usize::from(node.left) == at => Node { threshold: 0.0, ..*node },
                _ => *node,
            };
            nodes.iter().enumerate().map(written).zip(values.iter().copied()).collect()
        };
        let all = (0..trees.len()).map(one).collect();
        Self { classes: trees.classes, base: trees.base, usual: trees.usual, trees: all }
    }
}

impl TryFrom<Saved> for Trees {
    type Error = TreeError;

    fn try_from(saved: Saved) -> Result<Self, TreeError> {
        let Saved { classes, base, usual, trees } = saved;
        let outputs = if classes == 2 { 1 } else { classes as usize };
        if classes < 2 || base.len() != outputs || usual.is_empty() {
            return Err(TreeError::Broken("classes, first scores and columns do not fit together"));
        }
        if usual.len() > super::MOST_COLUMNS || !trees.len().is_multiple_of(outputs) {
            return Err(TreeError::Broken("too many columns, or not as many trees for each class"));
        }
        let (nodes, values, places) = (Vec::new(), Vec::new(), Vec::new());
        let mut out = Self { classes, base, usual, nodes, values, places };
        for mut tree in trees {
            for (at, (node, _)) in tree.iter_mut().enumerate() {
                if usize::from(node.left) == at {
                    node.threshold = f32::INFINITY;
                }
            }
            let nodes: Vec<Node> = tree.iter().map(|(node, _)| *node).collect();
            if depth(&nodes).is_none() {
                return Err(TreeError::Broken("a split leads nowhere"));
            }
            let known = |(node, value): &(Node, f32)| {
                usize::from(node.column) < out.width() && value.is_finite()
            };
            if !tree.iter().all(known) {
                return Err(TreeError::Broken(
                    "a split of no column, or a value that is no number",
                ));
            }
            out.push(tree.into_iter());
        }
        Ok(out)
    }
}
