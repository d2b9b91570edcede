/** The first of many items in an order, without sorting all of them. */
export class Oldest<Item> {
  readonly #limit: number;
  readonly #at: (item: Item) => number;
  #items: Item[] = [];
  /** Items from this time on are not among the first. */
  #end = Number.POSITIVE_INFINITY;

  /** `at`: the place of an item in the order. */
  constructor(limit: number, at: (item: Item) => number) {
    this.#limit = limit;
    this.#at = at;
  }

  add(item: Item): void {
    if (this.#at(item) >= this.#end) return;
    this.#items.push(item);
    if (this.#items.length < 2 * this.#limit + 100) return;
    this.#items = this.first();
    const last = this.#items.at(-1);
    this.#end = last === undefined ? Number.NEGATIVE_INFINITY : this.#at(last);
  }

  /** At most as many as the limit. Items of the same time are in the order in which they came. */
  first(): Item[] {
    return this.#items.sort((a, b) => this.#at(a) - this.#at(b)).slice(0, this.#limit);
  }
}
