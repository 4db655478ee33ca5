/**
 * What a refused caller hears, made of Asterisk's core English sounds, which every package of Asterisk ships.
 * The comments say the words that are spoken. The set knows no word for money, so an empty wallet is told as minutes.
 */
export const PROMPT_SOUNDS = {
  /** "I'm sorry. You have: zero minutes. Goodbye." */
  no_money: ['im-sorry', 'vm-youhave', 'digits/0', 'minutes', 'goodbye'],
  /** "The number you have dialed is not in service. Please check the number and try again." */
  unknown_destination: ['ss-noservice'],
  /** "I'm sorry. That feature is not available on this line." */
  blocked: ['im-sorry', 'feature-not-avail-line'],
  /** "All circuits are busy now. Please try your call again later." */
  routes_failed: ['all-circuits-busy-now', 'please-try-call-later'],
  /** "I'm sorry. Your telephone number is invalid." */
  caller_id_not_allowed: ['im-sorry', 'your', 'telephone-number', 'is', 'invalid'],
  /** "You have reached the limit of simultaneous calls. Please try your call again later." */
  limit_reached: ['simul-call-limit-reached', 'please-try-call-later'],
  /** "I'm sorry. You have: zero minutes. Please try your call again later." */
  spent_this_hour: ['im-sorry', 'vm-youhave', 'digits/0', 'minutes', 'please-try-call-later'],
  /** "I'm sorry. You have: zero minutes, today. Please try again, tomorrow." */
  spent_today: ['im-sorry', 'vm-youhave', 'digits/0', 'minutes', 'digits/today', 'please-try-again', 'digits/tomorrow'],
  /** An error tone, then: "I'm sorry. Your call cannot be completed as dialed. That feature is not available on this line." */
  emergency_unavailable: ['beeperr', 'im-sorry', 'cannot-complete-as-dialed', 'feature-not-avail-line'],
  /** "The number you have called is not answering. Please try your call again later." */
  not_available: ['number-not-answering', 'please-try-call-later'],
  /** "I'm sorry. Please try your call again later." */
  try_later: ['im-sorry', 'please-try-call-later'],
} as const satisfies Record<string, readonly string[]>;

/** "Hello. Your number is:", before the digits of a code, which the set has no word for. */
export const CODE_SOUNDS = ['hello', 'your', 'number', 'is'] as const;

/** After the digits were spoken for the last time. */
export const CODE_END_SOUND = 'goodbye';

/** "Please leave your message after the tone. When done, hang up or press the pound key." */
export const VOICEMAIL_GREETING = 'vm-intro';

/** After a message that ended by itself or by a key: "Goodbye." */
export const VOICEMAIL_END_SOUND = 'vm-goodbye';

/** What the caller alone hears shortly before the paid time ends: three beeps. */
export const WARNING_SOUNDS = ['beep', 'beep', 'beep'] as const;
