// Leads through the pages of a list by its address, so that each page can be linked to.
import { listHash, SIZES, type Listing, type View } from "../router";
import { go } from "../state/address";
import { pageBefore, rememberPage } from "../state/token-history";

interface Props {
  view: View;
  listing: Listing;
  /** The next page's token; empty on the last page. */
  next: string;
}

export function Pager({ view, listing, next }: Props) {
  // Tokens belong to the request they came from, so each list's each sorting has its own history.
  const list = `${view}.${listing.sort}`;
  const before = listing.page ? pageBefore(list, listing.page) : undefined;
  const open = (page: string) => go(listHash(view, { ...listing, page }));
  return (
    <div class="pager">
      <button type="button" disabled={!listing.page} onClick={() => open("")}>
        First page
      </button>
      <button
        type="button"
        disabled={before === undefined}
        onClick={() => before !== undefined && open(before)}
      >
        Previous page
      </button>
      <button
        type="button"
        disabled={!next}
        onClick={() => {
          rememberPage(list, listing.page, next);
          open(next);
        }}
      >
        Next page
      </button>
      <label>
        Rows per page
        <select
          value={String(listing.size)}
          onChange={(event) => {
            // A page's first row stays where it is: only its length changes.
            go(listHash(view, { ...listing, size: Number(event.currentTarget.value) }));
          }}
        >
          {SIZES.map((size) => (
            <option key={size} value={String(size)}>
              {size}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
