import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Header } from '../sip/message.ts';
import { answer } from '../sip/carrier_script.ts';
import type { Phone } from '../sip/phone.ts';
import type { Customer } from '../world/people.ts';
import { testWorld } from '../world/test_world.ts';
import { booksAreRight } from '../world/verdict.ts';
import type { World } from '../world/world.ts';

const STRANGER = '+442079460000';
/** What nobody here ever dials. */
const DEAR = '+8821300000';

let world: World;
let end: () => Promise<void>;
let attacks = 0;

beforeAll(async () => {
  ({ world, end } = await testWorld());
  world.carrier('alpha').play(answer());
}, 120_000);

afterAll(async () => {
  await booksAreRight(world.pool);
  await end();
});

interface Attack {
  /** The Contact of an honest phone. */
  own: string;
  carrier: string;
  dear: string;
}

const contact = (...uris: string[]): Header[] => [{ name: 'contact', value: uris.map((uri) => `<${uri}>`).join(', ') }];

async function registered(headers: (attack: Attack) => readonly Header[]) {
  attacks += 1;
  const customer = await world.customer({ balance_micros: 0n });
  const phone = await world.phone(customer, { register: false });
  const { address, port } = phone.address;
  const attack = {
    own: `sip:${customer.device.username}@${address}:${port}`,
    carrier: `${world.network}.5`,
    dear: `${DEAR}${attacks}`,
  };
  expect(await phone.registerAs(headers(attack))).toMatchObject({ kind: 'registered' });
  return { customer, phone, attack };
}

const callIn = ({ number }: Customer) => world.carrier('alpha').callIn(number, STRANGER);

/** Of calls that the carrier was sent. */
const sentToCarrier = ({ dear }: Attack): number =>
  world.carrier('alpha').records.filter(({ number, direction }) => direction === 'incoming' && number.includes(dear))
    .length;

const incoming = (phone: Phone): number => phone.records.filter(({ direction }) => direction === 'incoming').length;

describe.concurrent('a customer who registers what is no phone of theirs, and has their number called', () => {
  it.each<[string, (attack: Attack) => readonly Header[]]>([
    ['a further peer, by a trunk', ({ own, dear }) => contact(own, `sip:x&PJSIP/${dear}@trunk-alpha`)],
    [
      'a carrier, which knows us by our address',
      ({ own, carrier, dear }) => contact(own, `sip:${dear}@${carrier}:5060`),
    ],
    [
      'a carrier behind one that is taken back at once',
      ({ own, carrier, dear }) => [{ name: 'contact', value: `<${own}>;expires=0, <sip:${dear}@${carrier}:5060>` }],
    ],
  ])('calls nobody by %s', async (_what, headers) => {
    const { customer, phone, attack } = await registered(headers);
    phone.onIncoming((call) => call.reject(486));
    const ended = await callIn(customer).ended(20_000);
    expect(ended.status).toBeGreaterThanOrEqual(400);
    expect(sentToCarrier(attack)).toBe(0);
  });

  it('has no word in how it is called, and is not called there', async () => {
    const { customer, phone } = await registered(({ own }) => contact(own.replace('@', ',30,r@')));
    const ended = await callIn(customer).ended(20_000);
    expect(ended.status).toBeGreaterThanOrEqual(400);
    expect(incoming(phone)).toBe(0);
  });

  it('is called by no way of their own', async () => {
    const { customer, phone, attack } = await registered(({ own, carrier }) => [
      ...contact(own),
      { name: 'supported', value: 'path' },
      { name: 'path', value: `<sip:${carrier}:5060;lr>` },
    ]);
    const call = callIn(customer);
    const rings = await phone.nextIncoming();
    await rings.answer();
    await call.answered();
    expect(call.isLive).toBe(true);
    await call.hangUp();
    expect(sentToCarrier({ ...attack, dear: customer.device.username })).toBe(0);
  });
});
