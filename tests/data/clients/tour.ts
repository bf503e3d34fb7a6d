// The tour by the types that openapi-typescript made: prints what it found.
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

declare const process: { argv: string[] };

const [, , baseUrl, key] = process.argv;
const client = createClient<paths>({ baseUrl: baseUrl ?? "", headers: { Authorization: `Bearer ${key}` } });

async function good<T>(asked: Promise<{ data?: T; error?: unknown }>): Promise<T> {
  const { data, error } = await asked;
  if (data === undefined) throw new Error(JSON.stringify(error));
  return data;
}

const plans = (await good(client.GET("/search"))).data.events;
const [first] = plans;
if (first === undefined) throw new Error("no plan");
const known = await good(client.GET("/catalog/plans/{plan_id}", { params: { path: { plan_id: first.id } } }));
const events = [{ type: "typescript", value: 1.5 }, { type: "typescript" }];
const posted = await good(client.POST("/events/batch", { body: { events } }));
while (!(await good(client.GET("/stats"))).some((total) => total.type === "typescript" && total.count === 2));
const total = await good(client.GET("/stats/{type}", { params: { path: { type: "typescript" } } }));
const made = await good(
  client.POST("/users", { body: { username: "typescript", email: "typescript@example.com", role: "reader" } }),
);
const users = await good(client.GET("/users"));
const changes = await good(client.GET("/catalog/changes")); // or, as text, a stream of them
const found = {
  plans: plans.map((plan) => plan.title).sort(),
  same_plan: known.title === first.title,
  providers: (await good(client.GET("/catalog/providers"))).map((provider) => provider.name),
  posted: [posted.accepted, posted.refused],
  sum: total.sum,
  user: users.some((user) => user.username === made.username),
  changes: typeof changes !== "string" && changes.changes.length >= plans.length,
};
console.log(JSON.stringify(found));
