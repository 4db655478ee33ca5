import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { signWebhook, TOLERANCE_SECONDS, verifyWebhook } from './signature.ts';

/** The test vector of the specification's own libraries. */
const vector = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestamp_s: 1_614_265_330,
  body: '{"test": 2432232314}',
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};
const other_secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

const signed = signWebhook([vector.secret], vector.id, vector.timestamp_s, vector.body);
const verify = (headers: Partial<typeof signed> = {}, body = vector.body, now_s = vector.timestamp_s) =>
  verifyWebhook([vector.secret], { ...signed, ...headers }, body, now_s);

describe('a signature', () => {
  it('is the one that the specification’s own libraries make', () => {
    expect(signed).toEqual({
      'webhook-id': vector.id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': vector.signature,
    });
  });

  it('is an HMAC of id, time and body by the secret’s octets', () => {
    const key = Buffer.alloc(32, 7);
    const expected = createHmac('sha256', key).update('dlv_1.1700000000.{"text":"grüß"}').digest('base64');
    const headers = signWebhook([other_secret], 'dlv_1', 1_700_000_000, '{"text":"grüß"}');
    expect(headers['webhook-signature']).toBe(`v1,${expected}`);
  });

  it('is valid for who has the secret, within five minutes in both directions', () => {
    expect(verify()).toBe('valid');
    expect(verify({}, vector.body, vector.timestamp_s + TOLERANCE_SECONDS)).toBe('valid');
    expect(verify({}, vector.body, vector.timestamp_s + TOLERANCE_SECONDS + 1)).toBe('too_old');
    expect(verify({}, vector.body, vector.timestamp_s - TOLERANCE_SECONDS - 1)).toBe('too_new');
  });

  it.each([
    ['another body', {}, `${vector.body} `],
    ['another id', { 'webhook-id': 'msg_other' }, vector.body],
    ['another time', { 'webhook-timestamp': '1614265331' }, vector.body],
    ['no signature', { 'webhook-signature': '' }, vector.body],
    ['a signature of another kind', { 'webhook-signature': vector.signature.replace('v1,', 'v1a,') }, vector.body],
    ['half a signature', { 'webhook-signature': vector.signature.slice(0, 20) }, vector.body],
  ])('is forged with %s', (_, headers, body) => {
    expect(verify(headers, body)).toBe('forged');
  });

  it.each([{ 'webhook-timestamp': '' }, { 'webhook-timestamp': '1614265330.5' }, { 'webhook-id': '' }])(
    'is malformed with %o',
    (headers) => expect(verify(headers)).toBe('malformed'),
  );

  it('is there twice while a secret is being replaced, and each alone is enough', () => {
    const both = signWebhook([vector.secret, other_secret], vector.id, vector.timestamp_s, vector.body);
    expect(both['webhook-signature'].split(' ')).toHaveLength(2);
    for (const secret of [vector.secret, other_secret]) {
      expect(verifyWebhook([secret], both, vector.body, vector.timestamp_s)).toBe('valid');
    }
    const third = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;
    expect(verifyWebhook([third], both, vector.body, vector.timestamp_s)).toBe('forged');
    expect(verifyWebhook([third, other_secret], both, vector.body, vector.timestamp_s)).toBe('valid');
  });

  it('is believed exactly where everything is as it was signed', () => {
    const secret = fc
      .uint8Array({ minLength: 24, maxLength: 64 })
      .map((key) => `whsec_${Buffer.from(key).toString('base64')}`);
    const id = fc.stringMatching(/^[a-z0-9_]{1,40}$/u);
    fc.assert(
      fc.property(
        secret,
        secret,
        id,
        fc.nat({ max: 2 ** 31 }),
        fc.string(),
        fc.string(),
        (mine, theirs, name, at_s, body, other) => {
          const headers = signWebhook([mine], name, at_s, body);
          expect(verifyWebhook([mine], headers, body, at_s)).toBe('valid');
          expect(verifyWebhook([theirs], headers, body, at_s)).toBe(mine === theirs ? 'valid' : 'forged');
          expect(verifyWebhook([mine], headers, other, at_s)).toBe(body === other ? 'valid' : 'forged');
        },
      ),
    );
  });

  it('is not made by what is no secret', () => {
    expect(() => signWebhook(['MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], 'a', 1, '{}')).toThrow(/begins with whsec_/u);
  });
});
