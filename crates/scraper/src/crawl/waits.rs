//! How often a site is waited for, and what is given up then: a page first, the site at last.
//!
//! One number goes from one claim of a job to the next, and says it all of the waits in a row: a wait
//! that ends a claim was for the page that the next claim asks for. How long all waits of a job were
//! follows from its pages.

use std::time::Duration;

use crate::fetch::WAIT_MAX;

/// Most waits for a start page. Chosen: with an hour each, ten hours for a site that does nothing
/// else.
const START_MAX: u32 = 10;

/// Most waits for one page, and for the sitemaps. Chosen: a site that means it gives the page by
/// then, and the others do not wait for it for longer than three hours.
const PAGE_MAX: u32 = 3;

/// Pages in a row that were waited for in vain, after which the rest of the site is left alone.
/// Chosen: one page may be broken; three are a site that does not want us.
const PAGES_MAX: u32 = 3;

/// Longest time that a site is waited for in all, for pages other than the start page. Chosen: a day
/// is what people wait for a result; a site that asks for half a minute every time gets 2,880 pages.
const TOTAL_MAX: Duration = Duration::from_secs(24 * 3600);

/// The waits since the last page that was fetched, and the time of all.
#[derive(Debug)]
pub(super) struct Waits {
    /// A page that is given up counts as if it had used all of its waits.
    in_a_row: u32,
    of_page: u32,
    /// Time that earlier claims waited before the pages that they recorded.
    total: Duration,
    /// A wait was refused because others have taken all the time.
    is_spent: bool,
}

impl Waits {
    /// What is left after earlier claims waited `in_a_row` times.
    pub(super) fn after(in_a_row: u32) -> Self {
        Self {
            in_a_row,
            of_page: match in_a_row.checked_sub(1) {
                None => 0,
                Some(before) => before % PAGE_MAX + 1,
            },
            total: Duration::ZERO,
            is_spent: false,
        }
    }

    /// Takes into account that an earlier claim waited `waits` times before a page that it recorded
    /// `since_last` after the one before. Where that is longer than the waits may have been, the job
    /// was left alone for another reason.
    pub(super) fn replay(&mut self, waits: u32, since_last: Duration) {
        let longest = WAIT_MAX.saturating_mul(waits);
        self.total = self.total.saturating_add(since_last.min(longest));
    }

    /// The number to go on with later.
    pub(super) fn in_a_row(&self) -> u32 {
        self.in_a_row
    }

    /// Uses one of the waits for the start page; false where none is left.
    pub(super) fn use_for_start(&mut self) -> bool {
        let may_wait = self.in_a_row < START_MAX;
        self.in_a_row = self.in_a_row.saturating_add(u32::from(may_wait));
        may_wait
    }

    /// Uses one of the waits for the page at hand; false where none is left.
    pub(super) fn use_for_page(&mut self) -> bool {
        self.is_spent = self.is_spent || self.total >= TOTAL_MAX;
        let may_wait = self.of_page < PAGE_MAX && !self.is_spent;
        self.of_page = self.of_page.saturating_add(u32::from(may_wait));
        self.in_a_row = self.in_a_row.saturating_add(u32::from(may_wait));
        may_wait
    }

    /// The page at hand has been fetched.
    pub(super) fn fetched(&mut self) {
        self.in_a_row = 0;
        self.of_page = 0;
    }

    /// The page at hand has ended otherwise.
    pub(super) fn given_up(&mut self) {
        let unused = (PAGE_MAX - self.of_page.min(PAGE_MAX)) % PAGE_MAX;
        self.in_a_row = self.in_a_row.saturating_add(unused);
        self.of_page = 0;
    }

    /// Whether no other page is asked for: so many in a row were waited for in vain, or there is no
    /// time left to wait for one.
    pub(super) fn are_over(&self) -> bool {
        self.is_spent || self.of_page == 0 && self.in_a_row >= PAGE_MAX * PAGES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_given_up_after_three_waits_and_the_site_after_three_pages() {
        let mut waits = Waits::after(0);
        for page in 1..=3 {
            assert!(!waits.are_over(), "before page {page}");
            for wait in 1..=3 {
                assert!(waits.use_for_page());
                // An interruption changes nothing.
                waits = Waits::after(waits.in_a_row());
                assert_eq!(waits.in_a_row(), (page - 1) * 3 + wait);
            }
            assert!(!waits.use_for_page());
            waits.given_up();
        }
        assert!(waits.are_over());
    }

    #[test]
    fn only_a_fetched_page_begins_anew() {
        let mut waits = Waits::after(0);
        assert!(waits.use_for_page());
        waits.given_up();
        assert_eq!(waits.in_a_row(), 3);
        // A page that asked for nothing.
        waits.given_up();
        assert_eq!(waits.in_a_row(), 3);
        assert!(waits.use_for_page());
        waits.fetched();
        assert_eq!(waits.in_a_row(), 0);
    }

    #[test]
    fn all_waits_take_a_day_at_most() {
        let hour = Duration::from_secs(3600);
        let mut waits = Waits::after(1);
        for _ in 0..23 {
            waits.replay(1, hour + Duration::from_secs(5));
        }
        // A pause of a month between the pages; one before which nobody asked for a wait.
        waits.replay(1, hour * 24 * 30);
        waits.replay(0, hour * 24 * 30);
        waits.total -= hour;
        assert!(waits.use_for_page() && !waits.are_over());
        waits.fetched();
        assert!(waits.use_for_page());
        waits.replay(2, hour);
        assert!(!waits.are_over(), "what asks for nothing is still fetched");
        assert!(!waits.use_for_page() && waits.are_over());
    }

    #[test]
    fn a_start_page_is_waited_for_ten_times_over_all_claims() {
        let mut waits = Waits::after(9);
        assert!(waits.use_for_start());
        assert!(!waits.use_for_start());
        assert_eq!(waits.in_a_row(), 10);
    }
}
