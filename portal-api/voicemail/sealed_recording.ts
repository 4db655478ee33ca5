import { randomBytes } from 'node:crypto';
import { KEY_BYTES, seal, unseal } from '../../domain/privacy/sealing.ts';

/** A recording as it is kept: a file that is sealed by a key of its own, which the key of the account seals. */
export interface SealedRecording {
  key_sealed: Buffer;
  file: Buffer;
}

export function sealRecording(account_key: Buffer, id: string, wav: Buffer): SealedRecording {
  const key = randomBytes(KEY_BYTES);
  return {
    key_sealed: seal(account_key, `voice_message.key_sealed:${id}`, key),
    file: seal(key, `voice_message.file:${id}`, wav),
  };
}

/** Throws where the account's key is not the one, or anything was changed. */
export function unsealRecording(account_key: Buffer, id: string, { key_sealed, file }: SealedRecording): Buffer {
  const key = unseal(account_key, `voice_message.key_sealed:${id}`, key_sealed);
  return unseal(key, `voice_message.file:${id}`, file);
}
