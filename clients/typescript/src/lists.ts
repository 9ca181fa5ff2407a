// Lists that are longer than a page, as rows or as pages.

/**
 * A list. Waited for (`await`), it is its first page, as the service gives it; iterated over, it is
 * all rows, and the next page is asked for when the one before is used up. Nothing is asked before
 * either; each iteration begins anew. Each page is a call with a deadline of its own.
 *
 * As it can be waited for, an `async` function that returns a list gives its first page.
 */
export class List<Page extends { nextPageToken: string }, Row>
  implements PromiseLike<Page>, AsyncIterable<Row>
{
  /** @internal */
  constructor(
    private readonly page: (pageToken: string | undefined) => Promise<Page>,
    private readonly rowsOf: (page: Page) => readonly Row[],
  ) {}

  /** Asks for the first page. */
  // biome-ignore lint/suspicious/noThenProperty: a list can be waited for.
  then<A = Page, B = never>(
    had?: ((page: Page) => A | PromiseLike<A>) | null,
    failed?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.page(undefined).then(had, failed);
  }

  /** All pages, one after another. */
  async *pages(): AsyncGenerator<Page, void, undefined> {
    let next: string | undefined;
    do {
      const page = await this.page(next);
      yield page;
      next = page.nextPageToken;
    } while (next);
  }

  /** All rows, one after another. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Row, void, undefined> {
    for await (const page of this.pages()) yield* this.rowsOf(page);
  }
}
