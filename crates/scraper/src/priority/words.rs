//! The words by which pages are known that say who is behind a site, a line for each language.
//!
//! A name of several words stands without what divides them, as `aboutus`. Accents may be left out:
//! they do not count. Where a word is in two lists, the first counts.

use super::Topic;

/// Words, and joined words, of each topic.
pub(super) const WORDS: &[(Topic, &[&str])] = &[
    (Topic::Contact, CONTACT),
    (Topic::About, ABOUT),
    (Topic::Imprint, IMPRINT),
    (Topic::Team, TEAM),
    (Topic::Legal, LEGAL),
];

const CONTACT: &[&str] = &[
    // English
    "contact contacts contactus contactform getintouch reachus findus howtofindus locations",
    // German, also as it is written without umlauts
    "kontakt kontakte kontaktdaten kontaktformular anfahrt standort standorte sofindensieuns",
    // French
    "contactez contacter contacteznous nouscontacter noustrouver",
    // Spanish
    "contacto contactos contactar contactanos contactenos",
    // Portuguese
    "contato contatos contacte contactenos faleconosco contatenos",
    // Italian
    "contatti contatto contattaci dovesiamo",
    // Dutch
    "contacteer neemcontactop contactgegevens contactpagina",
    // Danish, Norwegian, Swedish
    "kontaktos kontaktoss kontakta kontaktaoss",
    // Finnish
    "yhteystiedot yhteys otayhteytta toimipisteet",
    // Estonian
    "kontaktid votauhendust",
    // Thai
    "ติดต่อ ติดต่อเรา",
    // Polish
    "kontakty kontaktuj skontaktujsieznami",
    // Czech, Slovak
    "kontaktujtenas kontaktneudaje kontaktniudaje",
    // Hungarian
    "kapcsolat elerhetoseg elerhetosegek elerhetosegeink",
    // Romanian
    "contactati contacteazane",
    // Croatian, Slovenian, Lithuanian
    "kontakti kontaktirajtenas kontaktai",
    // Greek
    "επικοινωνια επικοινωνηστε epikoinonia",
    // Turkish
    "iletisim bizeulasin",
    // Russian
    "контакты контакт связатьсяснами обратнаясвязь",
    // Ukrainian, Bulgarian
    "контакти звязатисязнами свържетесеснас законтакти",
    // Japanese
    "お問い合わせ お問合せ お問合わせ 問い合わせ お問い合わせはこちら 連絡先 アクセス コンタクト",
    // Chinese
    "联系我们 联系方式 联络我们 聯絡我們 聯繫我們 聯絡資訊",
    // Korean
    "문의 문의하기 연락처 오시는길 찾아오시는길",
    // Indonesian
    "hubungi hubungikami kontakkami",
    // Vietnamese
    "lienhe lienhechungtoi",
    // Arabic
    "اتصل اتصلبنا تواصل تواصلمعنا",
    // Hebrew
    "צורקשר יצירתקשר צרוקשר",
];

const ABOUT: &[&str] = &[
    // English
    "about aboutus aboutme company profile whoweare ourstory",
    // German
    "ueberuns uberuns ueber uber wirueberuns ueberunsere uberunsere ubermich uebermich unternehmen \
     firma firmenprofil werwirsind",
    // French
    "apropos aproposdenous quisommesnous entreprise lentreprise notrehistoire",
    // Spanish
    "sobre sobrenosotros quienessomos nosotros acerca acercade acercadenosotros empresa \
     laempresa",
    // Portuguese
    "sobrenos quemsomos aempresa",
    // Italian
    "chisiamo azienda lazienda",
    // Dutch
    "overons overmij wiezijnwij",
    // Danish, Norwegian, Swedish
    "omos omoss omforetaget omfirmaet",
    // Finnish
    "meista tietoameista yritys",
    // Polish, Czech, Slovak, Croatian, Slovenian
    "onas ofirmie ofirme okompanii onama ospolecnosti ospolocnosti onaszejfirmie kdojsme",
    // Hungarian
    "rolunk cegunk bemutatkozas magunkrol",
    // Romanian
    "desprenoi despre",
    // Greek
    "σχετικαμεεμας σχετικα ποιοιειμαστε εταιρεια ηεταιρειαμας sxetikamas",
    // Turkish
    "hakkimizda kurumsal bizkimiz",
    // Russian
    "онас окомпании компания нашакомпания",
    // Ukrainian, Bulgarian
    "пронас прокомпанію занас zanas коисмение",
    // Japanese
    "会社概要 会社案内 企業情報 会社情報 私たちについて 当社について 店舗案内 医院紹介",
    // Chinese
    "关于我们 关于 公司简介 企业简介 關於我們 公司簡介",
    // Korean
    "회사소개 회사개요 소개 기업소개",
    // Indonesian
    "tentangkami tentang profilperusahaan",
    // Vietnamese
    "gioithieu vechungtoi",
    // Arabic
    "مننحن عنالشركة حولنا نبذةعنا",
    // Hebrew
    "אודות אודותינו מיאנחנו עלינו",
];

const IMPRINT: &[&str] = &[
    // English
    "imprint legalnotice companyinformation",
    // German
    "impressum anbieterkennzeichnung",
    // French
    "mentionslegales mentions informationslegales",
    // Spanish, Portuguese
    "avisolegal informacionlegal informacoeslegais",
    // Italian
    "notelegali datisocietari",
    // Dutch
    "colofon colophon bedrijfsgegevens",
    // Polish, Hungarian, Croatian
    "danefirmy impresszum impresum",
    // Czech, Slovak
    "obchodniudaje fakturacniudaje fakturacneudaje tiraz",
    // Russian, Ukrainian
    "реквизиты выходныеданные реквізити",
    // Turkish
    "kunye",
    // Greek
    "ταυτοτητα",
    // Japanese
    "特定商取引法 特定商取引法に基づく表記 特定商取引に関する法律に基づく表記 運営会社 運営者情報",
    // Korean
    "사업자정보",
];

const TEAM: &[&str] = &[
    // English
    "team ourteam theteam meettheteam people ourpeople staff management leadership",
    // German
    "unserteam dasteam teamseite mitarbeiter mitarbeitende ansprechpartner praxisteam aerzte arzte",
    // French
    "equipe notreequipe lequipe",
    // Spanish
    "equipo nuestroequipo elequipo",
    // Portuguese
    "equipa nossaequipe nossaequipa",
    // Italian
    "ilteam lostaff ilnostroteam lanostrasquadra",
    // Dutch
    "medewerkers onsteam",
    // Danish, Norwegian, Swedish
    "medarbejdere medarbetare ansatte voresteam vartteam",
    // Finnish
    "henkilosto henkilokunta tiimi",
    // Polish, Czech, Slovak
    "zespol naszzespol tym nastym nasitym lide",
    // Hungarian, Romanian
    "csapat csapatunk munkatarsaink echipa echipanoastra",
    // Croatian, Slovenian
    "nastim ekipa nasaekipa",
    // Greek
    "ομαδα ηομαδαμας",
    // Turkish
    "ekip ekibimiz",
    // Russian, Ukrainian, Bulgarian
    "команда нашакоманда сотрудники екип нашиятекип",
    // Japanese, Chinese, Korean
    "スタッフ紹介 スタッフ 团队 我们的团队 我們的團隊 팀소개",
    // Indonesian, Vietnamese
    "timkami doingu",
    // Arabic, Hebrew
    "فريقنا فريقالعمل הצוות צוות",
];

const LEGAL: &[&str] = &[
    // English
    "legal privacy privacypolicy terms termsandconditions termsofservice termsofuse gdpr",
    // German
    "datenschutz datenschutzerklaerung datenschutzerklarung agb rechtliches \
     allgemeinegeschaftsbedingungen",
    // French
    "confidentialite politiquedeconfidentialite cgv cgu donneespersonnelles",
    // Spanish
    "privacidad politicadeprivacidad protecciondedatos terminosycondiciones",
    // Portuguese
    "privacidade politicadeprivacidade termosecondicoes",
    // Italian
    "informativaprivacy informativasullaprivacy terminiecondizioni",
    // Dutch
    "privacyverklaring privacybeleid algemenevoorwaarden",
    // Danish, Norwegian, Swedish
    "privatlivspolitik persondatapolitik personvern personvernerklaering integritetspolicy \
     handelsbetingelser",
    // Finnish
    "tietosuoja tietosuojaseloste rekisteriseloste",
    // Polish
    "politykaprywatnosci prywatnosc regulamin",
    // Czech, Slovak
    "soukromi ochranaosobnichudaju ochranaosobnychudajov obchodnipodminky obchodnepodmienky",
    // Hungarian
    "adatvedelem adatkezeles adatkezelesitajekoztato adatvedelmitajekoztato aszf",
    // Romanian
    "confidentialitate politicadeconfidentialitate termenisiconditii",
    // Croatian, Slovenian
    "politikaprivatnosti privatnost politikazasebnosti zasebnost",
    // Greek
    "πολιτικηαπορρητου οροιχρησης",
    // Turkish
    "gizlilik gizlilikpolitikasi kvkk",
    // Russian
    "политикаконфиденциальности конфиденциальность персональныеданные",
    // Ukrainian, Bulgarian
    "політикаконфіденційності политиказаповерителност поверителност",
    // Japanese
    "プライバシーポリシー 個人情報保護方針 利用規約",
    // Chinese
    "隐私政策 隐私声明 隱私政策 隱私權政策",
    // Korean
    "개인정보처리방침 이용약관",
    // Indonesian, Vietnamese
    "kebijakanprivasi chinhsachbaomat",
    // Arabic, Hebrew
    "سياسةالخصوصية מדיניותפרטיות תקנון מדיניותהפרטיות",
];
