// Fetch the description of the API, with a key where one is needed, and hand both to Swagger UI.

const KEY = "marquee-key"; // the dashboard's: who has shown it there need not do so again
const byId = (id) => document.getElementById(id);

let key = stored();

function stored() {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null; // a browser that keeps nothing: the key lives as long as this page
  }
}

function keep(text) {
  key = text;
  try {
    sessionStorage.setItem(KEY, key);
  } catch {
    // as above
  }
}

function askForKey(why) {
  const form = byId("key-form");
  byId("ask").hidden = false;
  byId("key-refusal").textContent = why;
  form.elements.key.value = "";
  form.elements.key.focus();
  return new Promise((resolve) => {
    form.onsubmit = (submission) => {
      submission.preventDefault();
      const typed = form.elements.key.value.trim();
      if (!/^[\x21-\x7e]+$/.test(typed)) {
        byId("key-refusal").textContent = "A key has letters, digits and signs only, without spaces.";
        return;
      }
      keep(typed);
      resolve();
    };
  });
}

async function description() {
  for (;;) {
    const answer = await fetch("openapi.json", { headers: key ? { Authorization: `Bearer ${key}` } : {} });
    const found = await answer.json();
    if (answer.ok) return found;
    if (answer.status !== 401 && answer.status !== 403) throw new Error(found.error.message);
    await askForKey(key ? found.error.message : "");
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
    onComplete: () => key && ui.preauthorizeApiKey("bearer", key),
  });
}

description().then(show, (problem) => {
  byId("trouble").hidden = false;
  byId("trouble").textContent = `The API's description did not come: ${problem.message}. Load the page again.`;
});
