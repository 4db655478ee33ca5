import net from 'node:net';

/** One answer as it came over the wire. */
export interface RawAnswer {
  status: number;
  headers: Headers;
  text: string;
}

/**
 * Sends bytes as no client of HTTP would, and tells every answer that came before the server closed or `quiet_ms` passed without a word.
 */
export function sendRaw(url: string, parts: readonly (string | Buffer)[], quiet_ms: number): Promise<RawExchange> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = net.connect(Number(port), hostname);
    const chunks: Buffer[] = [];
    const end = (is_closed: boolean): void => {
      socket.destroy();
      resolve({ answers: answersOf(Buffer.concat(chunks).toString('latin1')), is_closed });
    };
    socket.setTimeout(quiet_ms, () => end(false));
    socket.on('data', (chunk) => chunks.push(chunk));
    // Whoever is cut off while it still writes hears so.
    socket.on('error', () => end(true));
    socket.on('end', () => end(true));
    for (const part of parts) socket.write(part);
  });
}

export interface RawExchange {
  answers: readonly RawAnswer[];
  /** By the server. */
  is_closed: boolean;
}

function answersOf(text: string): RawAnswer[] {
  return text
    .split(/(?=HTTP\/1\.1 \d{3} )/u)
    .filter((one) => one !== '')
    .map((one) => {
      const [head = '', ...rest] = one.split('\r\n\r\n');
      const [first = '', ...lines] = head.split('\r\n');
      const headers = new Headers(
        lines.map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
      );
      return { status: Number(first.split(' ')[1]), headers, text: rest.join('\r\n\r\n') };
    });
}
