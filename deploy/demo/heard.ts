import type { Call } from '../sip/call.ts';
import { secondsText } from './narrator.ts';

/** What a party heard, from its own ears. */
export function heardWords(call: Call): string {
  const heard = call.rtp;
  if (heard === undefined || heard.voice_ms === 0) return 'nothing';
  return `${secondsText(heard.voice_ms)} of voice`;
}
