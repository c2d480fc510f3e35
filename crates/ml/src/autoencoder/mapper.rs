//! Which columns go together: single-linkage clusters by correlation distance, learned row by row.
//!
//! As in Kitsune (Mirsky, Doitshman, Elovici and Shabtai, NDSS 2018, section V-B): sums of the
//! products of each row's differences from the running means give the correlations, 1 minus the
//! correlation is the distance of two columns, and the tree of single linkage is cut from the top
//! until no cluster has more than so many columns.

use serde::{Deserialize, Serialize};

use crate::columns::value;

/// Sums of what was seen of each column and each pair of columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Mapper {
    rows: u64,
    signed: bool,
    sums: Vec<f64>,
    /// Sums of products of differences, for columns a <= b in rows of a triangle.
    products: Vec<f64>,
    #[serde(skip)]
    off: Vec<f64>,
}

impl Mapper {
    pub(super) fn new(width: usize, signed: bool) -> Self {
        let (sums, products) = (vec![0.0; width], vec![0.0; width * (width + 1) / 2]);
        Self { rows: 0, signed, sums, products, off: vec![] }
    }

    /// How many rows were seen.
    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    /// Takes a row. A column that is absent counts as its mean.
    pub(super) fn learn(&mut self, row: &[f32]) {
        self.rows += 1;
        let rows = self.rows as f64;
        self.off.clear();
        for (c, sum) in self.sums.iter_mut().enumerate() {
            let mean = *sum / (rows - 1.0).max(1.0);
            let x = value(row, c).map_or(mean, f64::from);
            *sum += x;
            self.off.push(x - *sum / rows);
        }
        let mut products = self.products.iter_mut();
        for (a, x) in self.off.iter().enumerate() {
            for (y, product) in self.off[a..].iter().zip(products.by_ref()) {
                *product += x * y;
            }
        }
    }

    /// 1 minus the correlation of two columns, a < b, which is 0 where one of them never changed.
    /// Columns that move against each other go together as well, unless signs count.
    fn distance(&self, a: usize, b: usize) -> f64 {
        let width = self.sums.len();
        // Row a of the triangle begins where the a rows before it end.
        let at = |a: usize, b: usize| self.products[a * width - a * (a + 1) / 2 + b];
        let scale = (at(a, a) * at(b, b)).sqrt();
        let correlation = if scale > 0.0 { at(a, b) / scale } else { 0.0 };
        (1.0 - if self.signed { correlation } else { correlation.abs() }).max(0.0)
    }

    /// The clusters, none with more than `most` columns.
    pub(super) fn clusters(&self, most: usize) -> Vec<Vec<usize>> {
        let width = self.sums.len();
        // The branch of the tree that each column is in so far, and the cluster: the same while the
        // branch is small enough. A branch that is too large leaves the clusters below it as they are.
        let mut branch: Vec<usize> = (0..width).collect();
        let mut cluster = branch.clone();
        for (a, b) in self.spanning_tree() {
            let (into, from) = (branch[a], branch[b]);
            let size = branch.iter().filter(|&&x| x == into || x == from).count();
            for c in 0..width {
                if branch[c] == from {
                    branch[c] = into;
                }
                if size <= most.max(1) && branch[c] == into {
                    cluster[c] = into;
                }
            }
        }
        let mut clusters = vec![vec![]; width];
        cluster.iter().enumerate().for_each(|(c, &cluster)| clusters[cluster].push(c));
        clusters.retain(|cluster| !cluster.is_empty());
        clusters.sort_unstable();
        clusters
    }

    /// The merges of single linkage, nearest first: the edges of a minimum spanning tree (Prim).
    fn spanning_tree(&self) -> Vec<(usize, usize)> {
        let width = self.sums.len();
        let mut edges = Vec::with_capacity(width.saturating_sub(1));
        // For each column outside the tree, its distance to the tree and the nearest column in it.
        let mut outside: Vec<(usize, f64, usize)> =
            (1..width).map(|c| (c, self.distance(0, c), 0)).collect();
        while let Some(place) = (0..outside.len()).min_by(|&x, &y| {
            outside[x].1.total_cmp(&outside[y].1).then(outside[x].0.cmp(&outside[y].0))
        }) {
            let (joins, distance, to) = outside.swap_remove(place);
            edges.push((distance, to, joins));
            for (c, nearest, at) in &mut outside {
                let distance = self.distance(joins.min(*c), joins.max(*c));
                if distance < *nearest {
                    (*nearest, *at) = (distance, joins);
                }
            }
        }
        edges.sort_by(|x, y| x.0.total_cmp(&y.0).then((x.1, x.2).cmp(&(y.1, y.2))));
        edges.into_iter().map(|(_, a, b)| (a, b)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Chance;

    #[test]
    fn columns_that_move_together_are_in_one_cluster_and_none_is_too_large() {
        let mut chance = Chance::new(3);
        let mut mapper = Mapper::new(9, false);
        for _ in 0..500 {
            let (a, b) = (chance.normal() as f32, chance.normal() as f32);
            let noise = |chance: &mut Chance| 0.1 * chance.normal() as f32;
            let row = [
                a + noise(&mut chance),
                b + noise(&mut chance),
                a * 100.0 + noise(&mut chance),
                -b - noise(&mut chance),
                a + noise(&mut chance),
                f32::NAN,
                7.0,
                b + noise(&mut chance),
                chance.normal() as f32,
            ];
            mapper.learn(&row);
        }
        let clusters = mapper.clusters(3);
        assert!(
            clusters.contains(&vec![0, 2, 4]) && clusters.contains(&vec![1, 3, 7]),
            "{clusters:?}"
        );
        for most in 1..=9 {
            let clusters = mapper.clusters(most);
            let mut all: Vec<usize> = clusters.iter().flatten().copied().collect();
            all.sort_unstable();
            assert_eq!(all, (0..9).collect::<Vec<_>>());
            assert!(clusters.iter().all(|cluster| cluster.len() <= most));
        }
    }

    #[test]
    fn a_branch_that_is_too_large_leaves_what_is_below_it_as_it_is() {
        // Three columns that are nearly one, and a fourth a little further off: at most three go
        // together, and the fourth stays alone rather than taking one of them.
        let mut chance = Chance::new(8);
        let mut mapper = Mapper::new(4, false);
        for _ in 0..500 {
            let a = chance.normal();
            let row = [0.0, 0.01, 0.5, 0.01].map(|noise| (a + noise * chance.normal()) as f32);
            mapper.learn(&row);
        }
        assert_eq!(mapper.clusters(3), [vec![0, 1, 3], vec![2]]);
    }
}
