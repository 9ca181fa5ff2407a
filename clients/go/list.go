// Asks for one page of a list after another.

package tandem

import "iter"

// A List is what a query for a list gives. Nothing is asked for before it is ranged over; each
// range begins with the page that the request names, the first one if it names none. Every page is
// a call, with a deadline of its own if the context has none. An error is the last element.
type List[Row any, Page interface{ GetNextPageToken() string }] struct {
	first string
	rows  func(Page) []Row
	ask   func(token string) (Page, error)
}

// Page asks for one page: the contract's call as it is.
func (l List[Row, Page]) Page() (Page, error) { return l.ask(l.first) }

// Pages asks for each page as the one before is used up.
func (l List[Row, Page]) Pages() iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		for token := l.first; ; {
			page, err := l.ask(token)
			if !yield(page, err) || err != nil {
				return
			}
			if token = page.GetNextPageToken(); token == "" {
				return
			}
		}
	}
}

// Rows gives the rows of all pages, and asks for the next page when those of the one before are
// used up.
func (l List[Row, Page]) Rows() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for page, err := range l.Pages() {
			if err != nil {
				var none Row
				yield(none, err)
				return
			}
			for _, row := range l.rows(page) {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}
