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

function parseBlock(block: string): AmiMessage {
  const message = new Map<string, string>();
  for (const line of block.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) message.set(line.slice(0, colon), line.slice(colon + 1).trimStart());
  }
  return message;
}

/** Cuts whole messages out of what has arrived so far; `rest` waits for more. The greeting has no empty line after it. */
export function takeAmiMessages(text: string): { messages: AmiMessage[]; rest: string } {
  const blocks = text.split('\r\n\r\n');
  const rest = blocks.pop() ?? '';
  return { messages: blocks.map(parseBlock), rest };
}
