//! Cutting rows into requests by bytes, since a pooler's cost grows with the square of a request.

/// Cuts `items` into slices of at most `limit` bytes each, in order; an item that is larger alone
/// gets a slice of its own.
pub(crate) fn by_bytes<T>(
    items: &[T],
    limit: usize,
    bytes: impl Fn(&T) -> usize,
) -> impl Iterator<Item = &[T]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let mut sum = 0;
        let fitting = rest
            .iter()
            .take_while(|item| {
                sum += bytes(item);
                sum <= limit
            })
            .count();
        let (slice, tail) = rest.split_at(fitting.max(1).min(rest.len()));
        rest = tail;
        (!slice.is_empty()).then_some(slice)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_keep_the_order_and_the_limit() {
        let cut = |items: &[usize]| {
            by_bytes(items, 10, |item| *item)
                .map(<[usize]>::to_vec)
                .collect::<Vec<_>>()
        };
        assert_eq!(cut(&[]), Vec::<Vec<usize>>::new());
        assert_eq!(cut(&[4, 6, 1, 9, 1]), [vec![4, 6], vec![1, 9], vec![1]]);
        assert_eq!(cut(&[11, 1, 30]), [vec![11], vec![1], vec![30]]);
    }
}
