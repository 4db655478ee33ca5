const DIGITS = 10;
const ROOT = 0;
const NONE = -1;
const DIGIT_0 = 48;

/** How many leading digits the jump table resolves in one step. */
const JUMP_DIGITS = 6;

/** A growing tree of digits. A node is its number; a child always has a higher number than its parent. */
export class PrefixTrie {
  private children = new Int32Array(DIGITS * 1024).fill(NONE);
  private parents = new Int32Array(1024).fill(NONE);
  private count = 1;

  /** The node of a prefix, made where it is missing. Throws on what is not digits: the tables refuse such a prefix. */
  insert(prefix: string): number {
    let node = ROOT;
    for (let i = 0; i < prefix.length; i += 1) node = this.descend(node, prefix.charCodeAt(i) - DIGIT_0);
    if (node === ROOT) throw new RangeError('A rate has an empty prefix.');
    return node;
  }

  /** The node of the prefix that stands in `bytes` from `start` to `end`, made where it is missing. */
  insertBytes(bytes: Uint8Array, start: number, end: number): number {
    let node = ROOT;
    for (let at = start; at < end; at += 1) {
      const digit = (bytes[at] ?? 0) - DIGIT_0;
      // Most prefixes are there already, by an earlier deck: this loop runs thirty million times in a load.
      const child = digit >= 0 && digit < DIGITS ? (this.children[node * DIGITS + digit] ?? NONE) : NONE;
      node = child === NONE ? this.descend(node, digit) : child;
    }
    return node;
  }

  private descend(node: number, digit: number): number {
    if (!(digit >= 0 && digit < DIGITS)) throw new RangeError('A prefix of a rate holds more than digits.');
    const at = node * DIGITS + digit;
    const child = this.children[at] ?? NONE;
    if (child !== NONE) return child;
    if (this.count === this.parents.length) this.grow();
    const made = this.count;
    this.count += 1;
    this.children[at] = made;
    this.parents[made] = node;
    return made;
  }

  get nodes(): number {
    return this.count;
  }

  parent(node: number): number {
    return this.parents[node] ?? NONE;
  }

  /** Ends the growth. `found[node]` is the slot that a search finds which gets no further than `node`, -1 for none. */
  freeze(found: Int32Array): PrefixSearch {
    const numbers = this.numberInnerNodes();
    const inner = numbers.reduce((count, number) => count + (number === NONE ? 0 : 1), 0);
    const steps = new Int32Array(inner * DIGITS);
    const ends = new Int32Array(inner);
    for (let node = 0; node < this.count; node += 1) {
      const number = numbers[node] ?? NONE;
      if (number === NONE) continue;
      ends[number] = found[node] ?? NONE;
      for (let digit = 0; digit < DIGITS; digit += 1) {
        const child = this.children[node * DIGITS + digit] ?? NONE;
        const next = child === NONE ? NONE : (numbers[child] ?? NONE);
        steps[number * DIGITS + digit] = next === NONE ? -2 - (found[child === NONE ? node : child] ?? NONE) : next;
      }
    }
    return new PrefixSearch(steps, ends);
  }

  /** New numbers for the nodes that have children, -1 for the leaves: only the former need a table of steps. */
  private numberInnerNodes(): Int32Array {
    const numbers = new Int32Array(this.count).fill(NONE);
    numbers[ROOT] = 0;
    for (let node = 1; node < this.count; node += 1) numbers[this.parent(node)] = 0;
    let count = 0;
    for (let node = 0; node < this.count; node += 1) {
      if (numbers[node] === NONE) continue;
      numbers[node] = count;
      count += 1;
    }
    return numbers;
  }

  private grow(): void {
    const children = new Int32Array(this.children.length * 2).fill(NONE);
    children.set(this.children);
    this.children = children;
    const parents = new Int32Array(this.parents.length * 2).fill(NONE);
    parents.set(this.parents);
    this.parents = parents;
  }
}

/**
 * The search for the longest known prefix of a number. A step is the next inner node for a digit or, where the search is
 * over, `-2 - slot`; so it reads memory once for the first six digits and once for each further one, and no leaf at all.
 */
export class PrefixSearch {
  private readonly steps: Int32Array;
  /** What a number finds whose digits end at an inner node. */
  private readonly ends: Int32Array;
  private readonly jump = new Int32Array(DIGITS ** JUMP_DIGITS);

  constructor(steps: Int32Array, ends: Int32Array) {
    this.steps = steps;
    this.ends = ends;
    this.fillJump(ROOT, 0, 0);
  }

  /** The slot of the longest known prefix of the digits of `text` from `start` on, or -1. */
  find(text: string, start: number): number {
    const { steps } = this;
    let step = ROOT;
    let at = start;
    if (text.length - start >= JUMP_DIGITS) {
      let digits = 0;
      for (; at < start + JUMP_DIGITS; at += 1) digits = digits * DIGITS + text.charCodeAt(at) - DIGIT_0;
      step = this.jump[digits] ?? NONE;
    }
    for (; step >= 0; at += 1) {
      if (at === text.length) return this.ends[step] ?? NONE;
      step = steps[step * DIGITS + text.charCodeAt(at) - DIGIT_0] ?? NONE;
    }
    return -2 - step;
  }

  get bytes(): number {
    return this.steps.byteLength + this.ends.byteLength + this.jump.byteLength;
  }

  private fillJump(node: number, digits: number, depth: number): void {
    if (depth === JUMP_DIGITS) {
      this.jump[digits] = node;
      return;
    }
    const span = DIGITS ** (JUMP_DIGITS - depth - 1);
    for (let digit = 0; digit < DIGITS; digit += 1) {
      const step = this.steps[node * DIGITS + digit] ?? NONE;
      const next = digits * DIGITS + digit;
      if (step >= 0) this.fillJump(step, next, depth + 1);
      else this.jump.fill(step, next * span, (next + 1) * span);
    }
  }
}
