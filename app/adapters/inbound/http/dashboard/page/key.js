// The key that was shown in this tab, for the dashboard and for the page of the API: it lives as long as the tab.

const NAME = "marquee-key";
const byId = (id) => document.getElementById(id);

let key = stored();

function stored() {
  try {
    return sessionStorage.getItem(NAME);
  } catch {
    return null; // a browser that keeps nothing: the key lives as long as this page
  }
}

export const currentKey = () => key;
export const credentials = () => (key ? { Authorization: `Bearer ${key}` } : {});

export function useKey(text) {
  key = text || null;
  try {
    if (key) sessionStorage.setItem(NAME, key);
    else sessionStorage.removeItem(NAME);
  } catch {
    // as above
  }
}

/** Ask in the page's form, and say why; resolves once there is another key. */
export function askForKey(why) {
  const form = byId("key-form");
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
      useKey(typed);
      resolve();
    };
  });
}
