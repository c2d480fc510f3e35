//! One tree, grown best leaf first.

use super::bins::Binned;
use super::settings::TreeSettings;

/// First and second derivative of the loss by a row's score.
pub(super) type Slope = [f32; 2];

/// Their sums over rows.
type Sum = [f64; 2];

/// A node while its tree grows; a leaf is its own left child.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Grown {
    pub(super) column: u16,
    pub(super) bin: u8,
    pub(super) left: u16,
    /// What a row that gets so far would be given, were this a leaf.
    pub(super) value: f32,
}

/// A leaf that may still be split.
struct Leaf {
    node: usize,
    depth: u8,
    /// Its rows in the shared order.
    begin: usize,
    end: usize,
    sum: Sum,
    histogram: Vec<Sum>,
    split: Option<Split>,
}

#[derive(Clone, Copy)]
struct Split {
    gain: f64,
    column: usize,
    bin: u8,
    left: Sum,
}

/// Everything that all trees of one training share.
pub(super) struct Grower<'a> {
    binned: &'a Binned,
    settings: &'a TreeSettings,
    slopes: Vec<Slope>,
    scratch: Vec<u32>,
    spare: Vec<Vec<Sum>>,
}

impl<'a> Grower<'a> {
    pub(super) fn new(binned: &'a Binned, settings: &'a TreeSettings) -> Self {
        let (slopes, scratch, spare) = (Vec::new(), Vec::new(), Vec::new());
        Self { binned, settings, slopes, scratch, spare }
    }

    /// Grows a tree on `rows`, which are put in the order of its leaves, by splits of `columns`.
    /// Hands back its nodes, and for each leaf the node and the end of its rows.
    pub(super) fn grow(
        &mut self,
        rows: &mut [u32],
        columns: &[usize],
        slopes: &[Slope],
    ) -> (Vec<Grown>, Vec<(usize, usize)>) {
        let mut sum = [0.0; 2];
        for row in &*rows {
            add(&mut sum, slopes[*row as usize]);
        }
        let mut nodes = vec![self.node(0, sum)];
        let mut root = Leaf {
            node: 0,
            depth: 0,
            begin: 0,
            end: rows.len(),
            sum,
            histogram: Vec::new(),
            split: None,
        };
        root.histogram = self.count(rows, sum, columns, slopes);
        root.split = self.best(&root, columns);
        let mut leaves = vec![root];
        while leaves.len() < usize::from(self.settings.leaves) {
            let Some((at, split)) = next(&leaves) else { break };
            let parent = leaves.swap_remove(at);
            let (left, right) = self.split(parent, split, rows, columns, slopes, &mut nodes);
            leaves.extend([left, right]);
        }
        leaves.sort_by_key(|leaf| leaf.begin);
        let ends = leaves.iter().map(|leaf| (leaf.node, leaf.end)).collect();
        self.spare.extend(leaves.into_iter().map(|leaf| leaf.histogram));
        (nodes, ends)
    }

    fn node(&self, at: usize, sum: Sum) -> Grown {
        let value = -sum[0] / (sum[1] + f64::from(self.settings.l2));
        let value = if value.is_finite() { value * f64::from(self.settings.rate) } else { 0.0 };
        Grown { column: 0, bin: 0, left: at as u16, value: value as f32 }
    }

    fn split(
        &mut self,
        parent: Leaf,
        split: Split,
        rows: &mut [u32],
        columns: &[usize],
        slopes: &[Slope],
        nodes: &mut Vec<Grown>,
    ) -> (Leaf, Leaf) {
        let codes = self.binned.column(split.column);
        let mine = &mut rows[parent.begin..parent.end];
        let middle = parent.begin + part(mine, codes, split.bin, &mut self.scratch);
        let sums = [split.left, minus(parent.sum, split.left)];
        let first = nodes.len();
        let node = &mut nodes[parent.node];
        (node.column, node.bin, node.left) = (split.column as u16, split.bin, first as u16);
        nodes.extend([self.node(first, sums[0]), self.node(first + 1, sums[1])]);
        let leaf = |side: usize, begin, end| Leaf {
            node: first + side,
            depth: parent.depth + 1,
            begin,
            end,
            sum: sums[side],
            histogram: Vec::new(),
            split: None,
        };
        let mut left = leaf(0, parent.begin, middle);
        let mut right = leaf(1, middle, parent.end);
        if left.depth < self.settings.depth && nodes.len() < 2 * usize::from(self.settings.leaves) {
            // The smaller child is counted; the other is what is left of their parent.
            let fewer = left.end - left.begin < right.end - right.begin;
            let (small, large) =
                if fewer { (&mut left, &mut right) } else { (&mut right, &mut left) };
            let mine = &rows[small.begin..small.end];
            small.histogram = self.count(mine, small.sum, columns, slopes);
            large.histogram = parent.histogram;
            for (large, small) in large.histogram.iter_mut().zip(&small.histogram) {
                *large = minus(*large, *small);
            }
            left.split = self.best(&left, columns);
            right.split = self.best(&right, columns);
        } else {
            self.spare.push(parent.histogram);
        }
        (left, right)
    }

    /// The histograms of all columns, one after the other.
    fn count(&mut self, rows: &[u32], sum: Sum, columns: &[usize], slopes: &[Slope]) -> Vec<Sum> {
        let bins = columns.iter().map(|column| self.binned.bins(*column)).sum();
        let mut all = self.spare.pop().unwrap_or_default();
        all.clear();
        all.resize(bins, [0.0; 2]);
        self.slopes.clear();
        self.slopes.extend(rows.iter().map(|row| slopes[*row as usize]));
        let mut rest = &mut all[..];
        for column in columns {
            let (mine, others) = rest.split_at_mut(self.binned.bins(*column));
            let codes = self.binned.column(*column);
            match self.binned.usual[*column] {
                // What is rare is added up, and the usual bin gets what is left.
                Some(usual) => {
                    let mut left = sum;
                    for (row, slope) in rows.iter().zip(&self.slopes) {
                        let code = codes[*row as usize];
                        if code != usual {
                            add(&mut mine[usize::from(code)], *slope);
                            left[0] -= f64::from(slope[0]);
                            left[1] -= f64::from(slope[1]);
                        }
                    }
                    mine[usize::from(usual)] = left;
                }
                None => {
                    for (row, slope) in rows.iter().zip(&self.slopes) {
                        add(&mut mine[usize::from(codes[*row as usize])], *slope);
                    }
                }
            }
            rest = others;
        }
        all
    }

    /// The split that gains most; of equals that of the first column and bin.
    fn best(&self, leaf: &Leaf, columns: &[usize]) -> Option<Split> {
        let l2 = f64::from(self.settings.l2) + 1e-12;
        let least = f64::from(self.settings.least_weight).max(1e-9);
        let worth = |sum: Sum| sum[0] * sum[0] / (sum[1] + l2);
        let whole = worth(leaf.sum);
        let mut best: Option<Split> = None;
        let mut rest = &leaf.histogram[..];
        for column in columns {
            let (mine, others) = rest.split_at(self.binned.bins(*column));
            rest = others;
            let mut left = [0.0; 2];
            for (bin, sum) in mine[..mine.len() - 1].iter().enumerate() {
                left = [left[0] + sum[0], left[1] + sum[1]];
                let right = minus(leaf.sum, left);
                if left[1] < least {
                    continue;
                }
                if right[1] < least {
                    break;
                }
                let gain = worth(left) + worth(right) - whole;
                // Sums that were subtracted leave dust: a gain below it is none.
                if gain > best.map_or(1e-7 + 1e-9 * whole.abs(), |best| best.gain) {
                    best = Some(Split { gain, column: *column, bin: bin as u8, left });
                }
            }
        }
        best
    }
}

/// The leaf whose split gains most; of equals the first node.
fn next(leaves: &[Leaf]) -> Option<(usize, Split)> {
    let mut best: Option<(usize, Split)> = None;
    for (at, leaf) in leaves.iter().enumerate() {
        let Some(split) = leaf.split else { continue };
        let better = best.is_none_or(|(other, most)| {
            split.gain > most.gain || split.gain == most.gain && leaf.node < leaves[other].node
        });
        if better {
            best = Some((at, split));
        }
    }
    best
}

/// Puts the rows whose bin is at most `bin` before the others, keeps the order within both, and says
/// how many they are.
fn part(rows: &mut [u32], codes: &[u8], bin: u8, scratch: &mut Vec<u32>) -> usize {
    scratch.clear();
    let mut left = 0;
    for at in 0..rows.len() {
        let row = rows[at];
        if codes[row as usize] <= bin {
            rows[left] = row;
            left += 1;
        } else {
            scratch.push(row);
        }
    }
    rows[left..].copy_from_slice(scratch);
    left
}

fn add(sum: &mut Sum, slope: Slope) {
    sum[0] += f64::from(slope[0]);
    sum[1] += f64::from(slope[1]);
}

fn minus(all: Sum, some: Sum) -> Sum {
    [all[0] - some[0], all[1] - some[1]]
}
