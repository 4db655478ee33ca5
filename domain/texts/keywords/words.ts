/** Languages in which keywords are understood and answered, by their ISO 639-1 codes. */
export const keywordLanguages = [
  ...(['en', 'de', 'fr', 'es', 'pt', 'it', 'nl', 'pl', 'sv', 'da', 'no', 'fi', 'cs'] as const),
  ...(['tr', 'el', 'ru', 'uk', 'ar', 'he', 'hi', 'ja', 'ko', 'zh', 'ro', 'hu'] as const),
] as const;

export type KeywordLanguage = (typeof keywordLanguages)[number];

/** What a keyword asks for: no more texts, texts again, or an explanation. */
export type KeywordAction = 'stop' | 'start' | 'help';

/** Words separated by commas; a word may have several parts. Case, accents and hyphens do not matter. */
export type Keywords = Readonly<Record<KeywordAction, string>>;

/**
 * The keywords of each language.
 *
 * The English ones to stop are those that 47 CFR 64.1200(a)(10) (FCC, in force since April 2025) calls a revocation
 * whatever the rest says, with the usual STOPALL. To start there are START and UNSTOP. YES, which the CTIA lists too, does
 * not count: it is the most frequent answer between people, and would opt in somebody who only said yes.
 *
 * The lists leave out words that mean something else in another language of the list, as any word may count on any number:
 * "fine" (Italian), "fin" (nice, Swedish), "slut" (Danish), "son" and "red" (Turkish), "peru" (Finnish); and words that
 * people say to each other rather than to a machine, as "basta", "sluta" and "그만".
 */
export const keywords: Readonly<Record<KeywordLanguage, Keywords>> = {
  en: {
    stop: 'stop, stopall, stop all, unsubscribe, cancel, end, quit, revoke, optout, opt out',
    start: 'start, unstop, optin, opt in',
    help: 'help, info',
  },
  de: {
    stop: 'stopp, abmelden, abbestellen, abbrechen, beenden, kündigen, kuendigen, austragen, ende',
    start: 'starten, anmelden',
    help: 'hilfe',
  },
  fr: {
    stop: 'arrêt, arrêter, désabonner, désabonnement, désinscrire, désinscription, annuler',
    start: 'démarrer, commencer, reprendre, abonner',
    help: 'aide, infos',
  },
  es: {
    stop: 'baja, parar, detener, alto, cancelar, anular, salir, dar de baja, darme de baja, desuscribir',
    start: 'alta, iniciar, empezar, comenzar, reanudar, suscribir',
    help: 'ayuda, información',
  },
  pt: {
    stop: 'parar, pare, sair, cancelar, remover, descadastrar, fim',
    start: 'iniciar, começar, retomar, cadastrar',
    help: 'ajuda, informação',
  },
  it: {
    stop: 'ferma, annulla, cancella, cancellami, disiscrivi, disiscrivimi, rimuovi, disdici, interrompi',
    start: 'inizia, avvia, iscrivi, iscrivimi, riprendi',
    help: 'aiuto, informazioni',
  },
  nl: {
    stop: 'stoppen, afmelden, uitschrijven, annuleren, opzeggen, beëindigen, einde',
    start: 'starten, aanmelden, inschrijven, hervatten',
    help: 'hulp',
  },
  pl: {
    stop: 'rezygnuję, rezygnacja, wypisz, wypisz mnie, anuluj, zatrzymaj, zakończ, koniec',
    start: 'wznów, rozpocznij, zapisz mnie',
    help: 'pomoc',
  },
  sv: {
    stop: 'stopp, stoppa, avsluta, avbryt, avanmäl, avregistrera',
    start: 'starta, anmäl, återuppta',
    help: 'hjälp',
  },
  da: {
    stop: 'afmeld, afslut, annuller, frameld',
    start: 'tilmeld, genoptag',
    help: 'hjælp',
  },
  no: {
    stop: 'stopp, avslutt, avmeld, avbryt, meld av, slutt',
    start: 'påmeld, meld på, gjenoppta',
    help: 'hjelp',
  },
  fi: {
    stop: 'lopeta, lopetus, peruuta, seis',
    start: 'aloita, tilaa',
    help: 'apua, ohje',
  },
  cs: {
    stop: 'konec, zrušit, zastavit, ukončit, odhlásit',
    start: 'začít, přihlásit, obnovit',
    help: 'pomoc, nápověda',
  },
  tr: {
    stop: 'iptal, iptal et, durdur, ret, çıkış, abonelikten çık',
    start: 'başla, başlat, abone ol',
    help: 'yardım, bilgi',
  },
  el: {
    stop: 'στοπ, διακοπή, ακύρωση, διαγραφή, τέλος',
    start: 'έναρξη, εκκίνηση, εγγραφή',
    help: 'βοήθεια, πληροφορίες',
  },
  ru: {
    stop: 'стоп, отписаться, отписка, отмена, отменить, прекратить, отказ, отказаться, конец',
    start: 'старт, начать, подписаться, возобновить',
    help: 'помощь, справка, инфо',
  },
  uk: {
    stop: 'стоп, відписатися, відписатись, відписка, скасувати, відміна, припинити, відмова, кінець',
    start: 'старт, почати, розпочати, підписатися, підписатись, відновити',
    help: 'допомога, довідка, інфо',
  },
  ar: {
    stop: 'إيقاف, توقف, قف, إلغاء, إلغاء الاشتراك',
    start: 'ابدأ, بدء, اشتراك, تفعيل',
    help: 'مساعدة, معلومات',
  },
  he: {
    stop: 'הסר, הסרה, הסר אותי, עצור, הפסק, ביטול, בטל',
    start: 'התחל, הצטרף',
    help: 'עזרה, מידע',
  },
  hi: {
    stop: 'रोकें, रोको, बंद, बंद करें, बंद करो, रद्द, रद्द करें, समाप्त',
    start: 'शुरू, शुरू करें, चालू करें',
    help: 'मदद, सहायता, जानकारी',
  },
  ja: {
    stop: '停止, ストップ, 配信停止, 解除, 配信解除, 退会, 中止, キャンセル, 終了',
    start: '開始, スタート, 再開',
    help: 'ヘルプ, 情報',
  },
  ko: {
    stop: '중지, 정지, 중단, 수신거부, 수신 거부, 해지, 취소, 종료, 스톱',
    start: '시작, 재개, 수신동의, 수신 동의',
    help: '도움, 도움말, 정보',
  },
  zh: {
    stop: '停止, 退订, 退訂, 取消, 取消订阅, 取消訂閱, 终止, 終止',
    start: '开始, 開始, 订阅, 訂閱, 恢复, 恢復',
    help: '帮助, 幫助, 信息, 資訊',
  },
  ro: {
    stop: 'oprire, oprește, anulare, anulează, dezabonare, dezabonează, renunț',
    start: 'pornire, începe, abonare, reia',
    help: 'ajutor, informații',
  },
  hu: {
    stop: 'állj, leállítás, leiratkozás, leiratkozom, lemondás, lemondom',
    start: 'indítás, kezdés, feliratkozás, feliratkozom',
    help: 'segítség, súgó, információ',
  },
};
