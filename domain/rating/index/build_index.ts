import type { RateDeck, RateRow } from '../rate_deck.ts';
import { PrefixTrie } from './prefix_trie.ts';
import { RateColumns } from './rate_columns.ts';
import { RateIndex } from './rate_index.ts';

const NONE = -1;

/** Takes the rows of all decks, in any order, and makes the index that holds at the instant `at_ms`. */
export class RateIndexBuilder {
  readonly columns: RateColumns;
  readonly trie = new PrefixTrie();
  private readonly at_ms: number;
  private readonly decks: RateDeck[] = [];
  /** Node of the tree and number of the deck of each row of the columns. */
  private row_nodes: Int32Array;
  private row_decks: Uint16Array;
  private next_change_at_ms = Number.POSITIVE_INFINITY;

  /** `expected_rows` spares the growing of arrays; a wrong guess costs only time. */
  constructor(at_ms: number, expected_rows = 0) {
    this.at_ms = at_ms;
    this.columns = new RateColumns(expected_rows);
    this.row_nodes = new Int32Array(Math.max(16, expected_rows));
    this.row_decks = new Uint16Array(Math.max(16, expected_rows));
  }

  /** Announces a deck; the number that comes back names it to `addRow`. */
  addDeck(deck: RateDeck): number {
    return this.decks.push(deck) - 1;
  }

  addRow(deck_no: number, row: RateRow): void {
    if (!this.holds(row.effective_from_ms, row.effective_to_ms)) return;
    const { columns } = this;
    this.place(
      this.trie.insert(row.prefix),
      deck_no,
      columns.add(
        row.rate_micros_per_minute,
        columns.termsId(row),
        columns.destinationId(row.destination),
        row.prefix.length,
      ),
    );
  }

  /** Whether a row holds at the instant of the index; remembers when that will change. */
  holds(effective_from_ms: number, effective_to_ms: number | null): boolean {
    if (effective_from_ms > this.at_ms) {
      this.changesAt(effective_from_ms);
      return false;
    }
    if (effective_to_ms === null) return true;
    if (effective_to_ms <= this.at_ms) return false;
    this.changesAt(effective_to_ms);
    return true;
  }

  /** Says that rates begin or end at this later instant. */
  changesAt(instant_ms: number): void {
    if (instant_ms < this.next_change_at_ms) this.next_change_at_ms = instant_ms;
  }

  /** Says where the row that was just added to the columns belongs. */
  place(node: number, deck_no: number, row: number): void {
    if (row >= this.row_nodes.length) this.grow();
    this.row_nodes[row] = node;
    this.row_decks[row] = deck_no;
  }

  build(): RateIndex {
    const slots = this.assignSlots();
    const rows = this.fillRows(slots.own, slots.count);
    this.inherit(slots.own, slots.found, rows);
    return new RateIndex({
      decks: this.decks,
      search: this.trie.freeze(slots.found),
      rows,
      columns: this.columns,
      next_change_at_ms: Number.isFinite(this.next_change_at_ms) ? this.next_change_at_ms : null,
    });
  }

  /** Numbers the nodes that are prefixes. `found` will be what a search finds that ends at a node. */
  private assignSlots(): { own: Int32Array; found: Int32Array; count: number } {
    const own = new Int32Array(this.trie.nodes).fill(NONE);
    for (let row = 0; row < this.columns.rows; row += 1) own[this.row_nodes[row] ?? 0] = 0;
    let count = 0;
    for (let node = 0; node < own.length; node += 1) {
      if (own[node] === NONE) continue;
      own[node] = count;
      count += 1;
    }
    return { own, found: own.slice(), count };
  }

  private fillRows(own: Int32Array, slots: number): Int32Array {
    const rows = new Int32Array(slots * this.decks.length).fill(NONE);
    for (let row = 0; row < this.columns.rows; row += 1) {
      const at = (own[this.row_nodes[row] ?? 0] ?? 0) * this.decks.length + (this.row_decks[row] ?? 0);
      if (rows[at] !== NONE) throw new RangeError('A rate deck has two rates for one prefix at one instant.');
      rows[at] = row;
    }
    return rows;
  }

  /** Hands the rows of each prefix down to the longer ones; a parent's number is lower, so one pass in order will do. */
  private inherit(own: Int32Array, found: Int32Array, rows: Int32Array): void {
    const decks = this.decks.length;
    for (let node = 1; node < own.length; node += 1) {
      const above = found[this.trie.parent(node)] ?? NONE;
      const slot = own[node] ?? NONE;
      if (slot === NONE) found[node] = above;
      if (slot === NONE || above === NONE) continue;
      for (let deck = 0; deck < decks; deck += 1) {
        if (rows[slot * decks + deck] === NONE) rows[slot * decks + deck] = rows[above * decks + deck] ?? NONE;
      }
    }
  }

  private grow(): void {
    const { row_nodes, row_decks } = this;
    this.row_nodes = new Int32Array(row_nodes.length * 2);
    this.row_nodes.set(row_nodes);
    this.row_decks = new Uint16Array(row_decks.length * 2);
    this.row_decks.set(row_decks);
  }
}

/** An index from rows in memory: `decks` with their rows, at the instant `at_ms`. */
export function buildIndex(
  decks: readonly { readonly deck: RateDeck; readonly rows: readonly RateRow[] }[],
  at_ms: number,
): RateIndex {
  const builder = new RateIndexBuilder(
    at_ms,
    decks.reduce((sum, { rows }) => sum + rows.length, 0),
  );
  for (const { deck, rows } of decks) {
    const deck_no = builder.addDeck(deck);
    for (const row of rows) builder.addRow(deck_no, row);
  }
  return builder.build();
}
