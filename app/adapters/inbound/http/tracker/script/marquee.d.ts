/** Types of `GET /marquee.js`. Save this file among your own types; `marquee` and `window.marquee` are known then. */

/** What JSON can say. A field that is undefined is left out. */
type MarqueeJson = string | number | boolean | null | undefined | readonly MarqueeJson[] | { readonly [name: string]: MarqueeJson };

/** What an activity is about, beside the page's `url`, `title` and `referrer`; the same names replace these. */
type MarqueeProperties = { readonly [name: string]: MarqueeJson };

/** A call that may be made before the script has loaded. */
type MarqueeCall =
  | readonly ["track", type: string, properties?: MarqueeProperties | null, value?: number | null]
  | readonly ["identify", userId: string | number | null | undefined]
  | readonly ["reset"]
  | readonly ["consent", given: boolean];

/** The queue of such calls: `(window.marquee ||= { q: [] }).q.push(["track", "view"])` works before and after. */
interface MarqueeQueue {
  q: { push(call: MarqueeCall): unknown };
}

interface Marquee extends MarqueeQueue {
  /**
   * Tells what the visitor did: its type (`[a-z][a-z0-9_.-]{0,99}`), what it is about, and what it is worth.
   * Returns the id under which it is counted once; undefined when it could not be written as JSON.
   */
  track(type: string, properties?: MarqueeProperties | null, value?: number | null): string | undefined;
  /** Says who the visitor is, from now on and before. Nothing (null, undefined, "") is not told. */
  identify(userId: string | number | null | undefined): void;
  /** Forgets who the visitor is, as after a logout: what comes next is another visitor's. */
  reset(): void;
  /** Allows everything, or forbids it and removes what is stored here. */
  consent(given: boolean): void;
}

/** There once the script has run. Before, or where it may not load, go by `window.marquee` and its `q`. */
declare const marquee: Marquee;

interface Window {
  marquee?: MarqueeQueue & Partial<Marquee>;
}
