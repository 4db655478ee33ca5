import type { CarrierOptions } from './options.ts';

/** The carrier's endpoint towards the operator: `PJSIP/<number>@customer` calls one of the operator's numbers. */
export const CUSTOMER_ENDPOINT = 'customer';

/** Where a call that the carrier originated goes on once it was answered. */
export const ORIGINATED = { context: 'originated', extension: 's' } as const;

/** What a called number does, chosen by its last three digits; every other number rings and answers with an echo. */
export const BEHAVIOUR_SUFFIX = {
  busy: '486',
  service_unavailable: '503',
  not_found: '404',
  declined: '603',
  /** Rings for ever. */
  never_answers: '480',
  /** Early media, then an answer. */
  early_media: '183',
  /** Plays a sound once instead of an echo, and hangs up. */
  announcement: '555',
} as const;

export function carrierExtensionsConf({ ring_ms }: CarrierOptions): string {
  const ring = `Wait(${ring_ms / 1000})`;
  const suffix = BEHAVIOUR_SUFFIX;
  return `[general]
static=yes
writeprotect=yes

[from-customer]
exten => _[+0-9]!,1,GotoIf($[\${DIALPLAN_EXISTS(called,\${EXTEN:-3},1)}]?called,\${EXTEN:-3},1:called,answers,1)

[called]
exten => answers,1,Ringing()
 same => n,${ring}
 same => n,Answer()
 same => n,Echo()
exten => ${suffix.busy},1,Hangup(17)
exten => ${suffix.service_unavailable},1,Hangup(34)
exten => ${suffix.not_found},1,Hangup(1)
exten => ${suffix.declined},1,Hangup(21)
exten => ${suffix.never_answers},1,Ringing()
 same => n,Wait(600)
exten => ${suffix.early_media},1,Progress()
 same => n,Playback(hello,noanswer)
 same => n,Answer()
 same => n,Echo()
exten => ${suffix.announcement},1,Ringing()
 same => n,${ring}
 same => n,Answer()
 same => n,Playback(hello-world)
 same => n,Hangup(16)

[${ORIGINATED.context}]
exten => ${ORIGINATED.extension},1,Echo()
`;
}
