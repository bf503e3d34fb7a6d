// What a shop written in TypeScript may do with the tracker, and what it is told not to.
marquee.track("view");
const made: string | undefined = marquee.track("ticket.bought", { seats: ["A1", "A2"], plan: { id: 7, gone: undefined } }, 25);
marquee.identify("ana");
marquee.identify(17);
marquee.reset();
marquee.consent(made !== undefined);
(window.marquee ||= { q: [] }).q.push(["track", "view", { plan: 7 }, 1.5]);
window.marquee.q.push(["identify", null]);
window.marquee.q.push(["consent", true]);
window.marquee.track?.("view");

// @ts-expect-error: an activity has a type
marquee.track();
// @ts-expect-error: a value is a number
marquee.track("view", {}, "12.50");
// @ts-expect-error: a function is not JSON
marquee.track("view", { now: () => 1 });
// @ts-expect-error: consent is given or not
marquee.consent("wait");
// @ts-expect-error: there is no such call
window.marquee.q.push(["buy"]);
// @ts-expect-error: the script may not have loaded
window.marquee.track("view");
