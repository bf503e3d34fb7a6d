"""Names of fields, in the languages in which feeds have them, and how well a name says what a field is."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_NAMESPACE = re.compile(r"^\{[^}]*\}")
_SHORTEST_PART = 5
"""Letters of a word that is looked for inside compounds (`Veranstaltungsbeginn`)."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ROLES: Mapping[str, frozenset[str]] = {
    "id": _words(
        "id uid uuid guid identifier identifiant code ref reference referenz nr nro numero nummer number sku key slug "
        "schluessel kennung tunnus tunniste clave eventid event_id itemid item_id showid recurrenceid kod"
    ),
    "title": _words(
        "title name titel titulo intitule titre titolo nimi otsikko bezeichnung nombre nom nome naam namn summary "
        "headline veranstaltung evento event stueck subject tapahtuma show caption label rubrik tytul nazev esitys "
        "tittel navn nazwa obra spectacle produktion eventname programme espectaculo "
        "evenemang evenement happening arrangement"
    ),
    "starts": _words(
        "start starts begint begin begins beginn anfang von from dtstart inicio comienzo debut inizio alkaa "
        "alku alkaen "
        "alkamisaika startdate starttime startsat begindate when startdatetime poczatek zacatek desde aanvang borjar "
        "wann quand cuando quando milloin wanneer starttid anfangszeit beginnzeit startzeit commence empieza "
        "showtime esitysaika"
    ),
    "day": _words(
        "date datum fecha data dato pvm paiva termin day tag jour dia giorno datetime eventdate dag dzien den"
    ),
    "ends": _words(
        "end ends ende bis to until till dtend fin final hasta fine paattyy loppuu loppu paattymisaika slut slutar "
        "einde eindigt endet endzeit sluttid termine acaba finit koniec konec stop finish enddate endtime "
        "endsat fim termina eind enddatetime schluss"
    ),
    "time": _words(
        "time uhrzeit um hora heure ora aika kello kellonaika tid tijd klockan godzina cas zeit starttime uhr anstoss"
    ),
    "duration": _words(
        "duration duree dauer duracion durata kesto varaktighet duur spieldauer runtime laufzeit length "
        "minutes minuten mins minuutit minutos"
    ),
    "price": _words(
        "price preis precio prix prezzo hinta cost amount fee pris prijs preco cena eintritt lowprice minprice "
        "kosten "
        "tarif tarifa importe coste face ticketprice eintrittspreis kosten entrada"
    ),
    "currency": _words(
        "currency waehrung wahrung moneda devise valuta valuutta pricecurrency currencycode divisa moeda waluta mena"
    ),
    "place": _words(
        "venue location place lugar lieu luogo paikka theatre theater spielort spielstaette spielstaetten "
        "veranstaltungsort recinto sala "
        "salle plaats plats lokal stage sal auditorium tapahtumapaikka site facility haus sitio miejsce misto house "
        "room arena hall saal halle konserthus klub club cinema kino biograf"
    ),
    "city": _words(
        "city stadt ciudad ville citta kaupunki stad town locality addresslocality municipio kunta poblacion "
        "municipality localidad ort commune by miasto mesto cidade"
    ),
    "country": _words("country land pais pays paese maa addresscountry countrycode staat kraj zeme"),
    "latitude": _words("lat latitude breite latitud breitengrad leveysaste geolat latitudine"),
    "longitude": _words("lon lng long longitude laenge longitud laengengrad pituusaste geolon geolng longitudine"),
    "url": _words("url link href web website enlace lien permalink homepage webseite uri weblink linkki verkkosivu"),
    "image": _words(
        "image img picture photo bild imagen foto kuva poster thumbnail cover icon enclosure plakat imageurl logo "
        "immagine imagem"
    ),
    "category": _words(
        "category genre kategorie type typ tipo categoria kategoria luokka laji tag classification segment sparte "
        "eventtype rubrique categorie art gatunek kategori kind klass soort genero"
    ),
    "status": _words("status state estado zustand tila etat stato eventstatus stan stav"),
    "zone": _words("timezone tz tzid zeitzone zonahoraria aikavyohyke timezoneid zone olsontimezone fuseau"),
    "sold_out": _words("soldout ausverkauft agotado complet esaurito loppuunmyyty uitverkocht slutsald"),
    "capacity": _words(
        "capacity available availability left remaining seats plaetze plazas places posti paikkoja quota stock "
        "kontingent frei disponibles aforo inventory rest quantity"
    ),
    "numbered": _words("numbered nummeriert numerada numeroitu assigned reserved seated"),
    "series": _words(
        "series serie baseid seriesid production productionid showid superevent group groupid venueid eventid channel"
    ),
    "organizer": _words("organizerid organiserid organizercompanyid promoterid veranstalterid organizadorid"),
}
"""By what a field is: names without accents, cases and signs, German umlauts with an e or without."""

OTHER_TIMES = _words(
    "created updated modified published pub sale sales onsale presale doors door einlass vorverkauf registration "
    "expires expiry lastmod last valid access creation update changed announced modif geaendert erstellt "
    "actualizado creado muokattu luotu pubdate release availability deadline booking built"
)
"""Words of times that are neither the start nor the end of anything."""
OTHER_UNITS = _words("seconds sekunden secs sec sekuntia hours stunden hrs ms millis days tage")
"""Words of units of time that no mapping reads as the length of something."""
CENTS = _words("cents cent centimes centavos pence pennies rappen minor minorunits oere centesimi")
"""Words of prices in hundredths."""
SALE = _words("sale sales onsale presale vorverkauf sell venta verkauf myynti booking vente vendita ticketsale")
OF_OTHERS = _words(
    "organizer organiser performer artist artists promoter veranstalter organizador organisateur contact person author "
    "creator publisher image sponsor kontakt user seller attraction attractions offers audience provider"
)
"""Words of those whose name is not that of the event."""


@lru_cache(maxsize=4096)
def parts_of(name: str) -> tuple[str, ...]:
    """Split a name into its words, in lower case and without accents."""
    bare = _NAMESPACE.sub("", name).lstrip("@")
    bare = bare.replace("ß", "ss").replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    bare = bare.replace("Ä", "Ae").replace("Ö", "Oe").replace("Ü", "Ue").replace("å", "a").replace("ł", "l")
    plain = unicodedata.normalize("NFKD", bare).encode("ascii", "ignore").decode()
    return tuple(part.lower() for part in _PARTS.findall(plain))


def likeness(name: str, role: str) -> float:
    """How well a name says that a field is this, from 0 to 1."""
    words, parts = ROLES[role], parts_of(name)
    variants = (parts, tuple(map(_without_e, parts)), tuple(part.removesuffix("s") for part in parts))
    return max(_likeness(variant, words) for variant in variants)


def says_any(name: str, words: frozenset[str]) -> bool:
    """Whether any word of a name is one of these."""
    parts = parts_of(name)
    return not words.isdisjoint(parts) or "".join(parts) in words


def _likeness(parts: tuple[str, ...], words: frozenset[str]) -> float:
    if not parts:
        return 0.0
    if "".join(parts) in words:
        return 1.0
    if parts[-1] in words:
        return 0.8
    if parts[0] in words:
        return 0.7
    if not words.isdisjoint(parts):
        return 0.5
    whole = "".join(parts)
    long_ = [word for word in words if len(word) >= _SHORTEST_PART]
    return 0.5 if any(whole.endswith(word) or whole.startswith(word) for word in long_) else 0.0


def _without_e(part: str) -> str:
    return part.replace("ae", "a").replace("oe", "o").replace("ue", "u")
