import type { KeywordAction, KeywordLanguage } from './words.ts';

/** A reply stays within one segment with a brand up to this long, in characters of GSM 7. */
export const BRAND_CHARACTERS_MAX = 20;

/**
 * What is answered to a keyword, the brand at `{brand}`. All say how to go back, in the English keyword, which counts
 * everywhere. Where a language needs letters that GSM 7 lacks its replies are short: 70 characters are a segment then.
 */
const replies: Readonly<Record<KeywordLanguage, Readonly<Record<KeywordAction, string>>>> = {
  en: {
    stop: '{brand}: You will get no more texts from us. Reply START to get them again.',
    start:
      '{brand}: You will get our texts again. Reply STOP to end them, HELP for help. Message and data rates may apply.',
    help: '{brand}: Reply STOP to get no more texts, START to get them again. Message and data rates may apply.',
  },
  de: {
    stop: '{brand}: Sie erhalten keine SMS mehr von uns. Mit START erhalten Sie sie wieder.',
    start: '{brand}: Sie erhalten wieder SMS von uns. Mit STOP bestellen Sie sie ab, mit HILFE erhalten Sie Hilfe.',
    help: '{brand}: Antworten Sie STOP, um keine SMS mehr zu erhalten, oder START, um sie wieder zu erhalten.',
  },
  fr: {
    stop: '{brand} : vous ne recevrez plus nos SMS. Répondez START pour les recevoir à nouveau.',
    start: "{brand} : vous recevrez à nouveau nos SMS. Répondez STOP pour ne plus les recevoir, AIDE pour de l'aide.",
    help: '{brand} : répondez STOP pour ne plus recevoir nos SMS, START pour les recevoir à nouveau.',
  },
  es: {
    stop: '{brand}: ya no le enviaremos SMS. Responda START para recibirlos de nuevo.',
    start: '{brand}: le enviaremos SMS de nuevo. Responda STOP para no recibirlos, AYUDA para obtener ayuda.',
    help: '{brand}: responda STOP para no recibir SMS, START para recibirlos de nuevo.',
  },
  pt: {
    stop: '{brand}: deixamos de lhe enviar SMS. Responda START para os receber de novo.',
    start: '{brand}: voltamos a enviar-lhe SMS. Responda STOP para os parar, AJUDA para obter ajuda.',
    help: '{brand}: responda STOP para deixar de receber SMS, START para os receber de novo.',
  },
  it: {
    stop: '{brand}: non riceverai più i nostri SMS. Rispondi START per riceverli di nuovo.',
    start: '{brand}: riceverai di nuovo i nostri SMS. Rispondi STOP per non riceverli, AIUTO per assistenza.',
    help: '{brand}: rispondi STOP per non ricevere SMS, START per riceverli di nuovo.',
  },
  nl: {
    stop: '{brand}: u ontvangt geen sms meer van ons. Antwoord START om ze weer te ontvangen.',
    start: '{brand}: u ontvangt weer sms van ons. Antwoord STOP om te stoppen, HULP voor hulp.',
    help: '{brand}: antwoord STOP om geen sms meer te ontvangen, START om ze weer te ontvangen.',
  },
  pl: {
    stop: '{brand}: nie wyślemy więcej SMS. Powrót: START',
    start: '{brand}: znów wysyłamy SMS. Rezygnacja: STOP',
    help: '{brand}: STOP kończy wysyłkę SMS, START wznawia.',
  },
  sv: {
    stop: '{brand}: du får inga fler sms från oss. Svara START för att få dem igen.',
    start: '{brand}: du får sms från oss igen. Svara STOP för att slippa dem, HJÄLP för hjälp.',
    help: '{brand}: svara STOP för att inte få fler sms, START för att få dem igen.',
  },
  da: {
    stop: "{brand}: du får ikke flere sms'er fra os. Svar START for at få dem igen.",
    start: "{brand}: du får igen sms'er fra os. Svar STOP for at stoppe dem, HJÆLP for hjælp.",
    help: "{brand}: svar STOP for ikke at få flere sms'er, START for at få dem igen.",
  },
  no: {
    stop: '{brand}: du får ikke flere sms fra oss. Svar START for å få dem igjen.',
    start: '{brand}: du får sms fra oss igjen. Svar STOP for å stoppe dem, HJELP for hjelp.',
    help: '{brand}: svar STOP for ikke å få flere sms, START for å få dem igjen.',
  },
  fi: {
    stop: '{brand}: et saa enää tekstiviestejä meiltä. Vastaa START, jos haluat niitä taas.',
    start: '{brand}: saat taas tekstiviestejä meiltä. Vastaa STOP, jos et halua niitä, tai OHJE.',
    help: '{brand}: STOP lopettaa tekstiviestit, START aloittaa ne uudelleen.',
  },
  cs: {
    stop: '{brand}: SMS už nepošleme. Obnovení: START',
    start: '{brand}: SMS opět posíláme. Ukončení: STOP',
    help: '{brand}: STOP ukončí SMS, START je obnoví.',
  },
  tr: {
    stop: '{brand}: Artık SMS almayacaksınız. Yeniden: START',
    start: '{brand}: Yeniden SMS alacaksınız. Durdurmak: STOP',
    help: '{brand}: STOP SMS’leri durdurur, START başlatır.',
  },
  el: {
    stop: '{brand}: δεν θα λαμβάνετε πια SMS. Επαναφορά: START',
    start: '{brand}: θα λαμβάνετε ξανά SMS. Διακοπή: STOP',
    help: '{brand}: STOP διακόπτει τα SMS, START τα ξεκινά.',
  },
  ru: {
    stop: '{brand}: SMS больше не придут. Вернуть: START',
    start: '{brand}: SMS снова будут приходить. Отказ: STOP',
    help: '{brand}: STOP отключает SMS, START включает.',
  },
  uk: {
    stop: '{brand}: SMS більше не надійдуть. Повернути: START',
    start: '{brand}: SMS знову надходитимуть. Відмова: STOP',
    help: '{brand}: STOP вимикає SMS, START вмикає.',
  },
  ar: {
    stop: '{brand}: لن تصلك رسائلنا بعد الآن. للعودة: START',
    start: '{brand}: ستصلك رسائلنا مجددا. للإيقاف: STOP',
    help: '{brand}: أرسل STOP لإيقاف الرسائل وSTART لاستئنافها.',
  },
  he: {
    stop: '{brand}: לא נשלח לך עוד הודעות. לחידוש: START',
    start: '{brand}: נשלח לך שוב הודעות. להסרה: STOP',
    help: '{brand}: STOP להפסקת ההודעות, START לחידושן.',
  },
  hi: {
    stop: '{brand}: अब SMS नहीं आएँगे। फिर पाने के लिए: START',
    start: '{brand}: SMS फिर आएँगे। रोकने के लिए: STOP',
    help: '{brand}: SMS रोकने को STOP, पाने को START भेजें।',
  },
  ja: {
    stop: '{brand}: SMSの配信を停止しました。再開はSTARTと返信してください。',
    start: '{brand}: SMSの配信を再開しました。停止はSTOPと返信してください。',
    help: '{brand}: 停止はSTOP、再開はSTARTと返信してください。',
  },
  ko: {
    stop: '{brand}: SMS 수신이 중지되었습니다. 재개하려면 START',
    start: '{brand}: SMS 수신이 재개되었습니다. 중지하려면 STOP',
    help: '{brand}: 수신을 중지하려면 STOP, 재개하려면 START',
  },
  zh: {
    stop: '{brand}: 您将不再收到我们的短信。如需恢复请回复START。',
    start: '{brand}: 您将重新收到我们的短信。如需退订请回复STOP。',
    help: '{brand}: 回复STOP退订短信,回复START恢复接收。',
  },
  ro: {
    stop: '{brand}: nu mai primiți SMS. Reluare: START',
    start: '{brand}: primiți din nou SMS. Oprire: STOP',
    help: '{brand}: STOP oprește SMS-urile, START le reia.',
  },
  hu: {
    stop: '{brand}: nem küldünk több SMS-t. Újra: START',
    start: '{brand}: újra küldünk SMS-t. Leállítás: STOP',
    help: '{brand}: STOP leállítja az SMS-eket, START újraindítja.',
  },
};

/** The text that confirms a keyword, or explains the others. */
export function keywordReply(action: KeywordAction, language: KeywordLanguage, brand: string): string {
  return replies[language][action].replace('{brand}', () => brand);
}
