import { createHmac } from 'node:crypto';
import { z } from 'zod';
import type { Verifier } from './verifier.ts';

export interface HttpVerifierOptions {
  url: string;
  /** What each request is signed with, as payment providers sign: `t=SECONDS,v1=HMAC-SHA-256 of "SECONDS.BODY"`. */
  secret: string;
  now: () => Date;
  timeout_ms?: number;
}

const TIMEOUT_MS = 30_000;
const ANSWER_BYTES_MAX = 10_000;
const answer = z.object({
  verdict: z.enum(['passed', 'failed', 'unsure']),
  valid_until: z.iso.date().nullable().default(null),
});

/**
 * Somebody else's service: it is sent `{type, pages, claims}`, the pages as JPEG in Base64, and answers `{verdict, valid_until?}`. Whatever else it does,
 * and whenever it is away, throws: the task asks again, and the reviewer does not wait for it.
 */
export function httpVerifier({ url, secret, now, timeout_ms = TIMEOUT_MS }: HttpVerifierOptions): Verifier {
  return {
    name: 'http_verifier',
    reads_documents: true,
    verify: async ({ type, pages }, claims) => {
      const body = JSON.stringify({ type, pages: pages.map((page) => page.toString('base64')), claims });
      const t = Math.floor(now().getTime() / 1000);
      const v1 = createHmac('sha256', secret).update(`${t}.`).update(body).digest('hex');
      const response = await fetch(url, {
        ...{ method: 'POST', body, redirect: 'error', signal: AbortSignal.timeout(timeout_ms) },
        headers: { 'content-type': 'application/json', 'x-letsdial-signature': `t=${t},v1=${v1}` },
      });
      const text = await boundedText(response);
      if (!response.ok) throw new Error(`The verifier of documents answered ${response.status}.`);
      const parsed = answer.safeParse(jsonOf(text));
      // Neither here nor above is told what it said, as that may repeat what it was sent.
      if (!parsed.success) throw new Error('The verifier of documents answered what is no verdict.');
      return parsed.data;
    },
  };
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).length;
    if (size > ANSWER_BYTES_MAX) throw new Error('The verifier of documents answered more than a verdict.');
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
