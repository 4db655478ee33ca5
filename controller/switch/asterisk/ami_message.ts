/** One AMI message: its headers in the order they came. Names are given as Asterisk writes them. */
export type AmiMessage = ReadonlyMap<string, string>;

/** A value must stay on its line, else it would become a header of its own. */
export function formatAmiMessage(headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => {
    if (/[\r\n]/u.test(value)) throw new Error(`An AMI header holds a line break: ${name}.`);
    return `${name}: ${value}\r\n`;
  });
  return `${lines.join('')}\r\n`;
}

/** Null when a header stands there twice. */
function parseBlock(block: string): AmiMessage | null {
  const message = new Map<string, string>();
  for (const line of block.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon);
    if (message.has(name)) return null;
    message.set(name, line.slice(colon + 1).trimStart());
  }
  return message;
}

/**
 * Cuts whole messages out of what has arrived so far; `rest` waits for more. The greeting has no empty line after it.
 *
 * Asterisk writes numbers that callers dial or claim as they are, a line break in them too, so that a caller can write headers of his
 * own in what the switch tells of him. None of ours has a header twice, so a message that has is one of those: they are
 * counted in `forged`, and nothing that they say is believed.
 */
export function takeAmiMessages(text: string): { messages: AmiMessage[]; forged: number; rest: string } {
  const blocks = text.split('\r\n\r\n');
  const rest = blocks.pop() ?? '';
  const messages = blocks.map(parseBlock).filter((message) => message !== null);
  return { messages, forged: blocks.length - messages.length, rest };
}
