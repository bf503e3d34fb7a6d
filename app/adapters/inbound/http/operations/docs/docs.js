// Fetch the description of the API, with a key where one is needed, and hand both to Swagger UI.

import { askForKey, credentials, currentKey } from "../dashboard/key.js"; // who has shown a key there need not do so again

const byId = (id) => document.getElementById(id);

async function description() {
  for (;;) {
    const answer = await fetch("openapi.json", { headers: credentials() });
    const found = await answer.json();
    if (answer.ok) return found;
    if (answer.status !== 401 && answer.status !== 403) throw new Error(found.error.message);
    byId("ask").hidden = false;
    await askForKey(currentKey() ? found.error.message : "");
  }
}

function show(spec) {
  byId("ask").hidden = true;
  const ui = window.SwaggerUIBundle({
    spec,
    dom_id: "#swagger",
    deepLinking: true,
    validatorUrl: null, // it would send the description to somebody else
    presets: [window.SwaggerUIBundle.presets.apis],
    onComplete: () => currentKey() && ui.preauthorizeApiKey("bearer", currentKey()),
  });
}

description().then(show, (problem) => {
  byId("trouble").hidden = false;
  byId("trouble").textContent = `The API's description did not come: ${problem.message}. Load the page again.`;
});
