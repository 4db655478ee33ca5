import { PhraseBook } from './phrase_book.ts';

/** Words with which a login code is introduced, in the languages of most of such texts. */
const WORDS = [
  ...[
    'code',
    'codes',
    'passcode',
    'otp',
    'pin',
    'tan',
    'password',
    'verification',
    'verify',
    'one time',
    '2fa',
    'login',
  ],
  ...[
    'codigo',
    'código',
    'clave',
    'senha',
    'codice',
    'mot de passe',
    'wachtwoord',
    'passwort',
    'kennwort',
    'kode',
    'kod',
  ],
  ...[
    'bestätigungscode',
    'sicherheitscode',
    'anmeldecode',
    'verificatiecode',
    'koodi',
    'kód',
    'şifre',
    'doğrulama',
    'hasło',
  ],
  ...['код', 'коды', 'пароль', 'кода', 'κωδικός', 'κωδικο', 'رمز', 'الرمز', 'كود', 'קוד', 'कोड', 'ওটিপি', 'mã', 'รหัส'],
  ...['验证码', '驗證碼', '校验码', '認証コード', '認証番号', 'パスコード', '인증번호', '인증', 'код подтверждения'],
];

const book = new PhraseBook<true>();
for (const word of WORDS) book.add(word, true);

/** 4 to 8 digits in a row, or two groups of 2 to 4: cheap to ask of every text, and few have them. */
export function mayHoldCode(text: string): boolean {
  return DIGITS.test(text);
}

const DIGITS = /[0-9]{4}|[0-9]{2,4}[ -][0-9]{2,4}/u;
const WHOLE = /^[0-9]{4,8}$/u;
const HALF = /^[0-9]{2,4}$/u;

/** Whether a text looks as if somebody waits for it at a login: a code, and a word that says so. */
export function looksLikeCode(tokens: readonly string[]): boolean {
  const has_digits = tokens.some(
    (token, at) => WHOLE.test(token) || (HALF.test(token) && HALF.test(tokens[at + 1] ?? '')),
  );
  return has_digits && book.has(tokens);
}
