// A passkey is asked for, or made, as the page's form says; what comes of it goes into the
// form. https://www.w3.org/TR/webauthn-3/#sctn-parseCreationOptionsFromJSON has the forms.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const options = (json) => {
  const o = JSON.parse(json).publicKey;
  o.challenge = bytes(o.challenge);
  if (o.user) o.user.id = bytes(o.user.id);
  for (const known of [...(o.allowCredentials ?? []), ...(o.excludeCredentials ?? [])]) known.id = bytes(known.id);
  return { publicKey: o };
};

const plain = (credential) => {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
    if (credential.response[name]) response[name] = text(credential.response[name]);
  return JSON.stringify({ id: credential.id, rawId: text(credential.rawId), type: credential.type, response });
};

for (const form of document.querySelectorAll("form.ceremony")) {
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const error = form.querySelector("[role=alert]");
    error.hidden = true;
    try {
      form.elements.passkey.value = plain(await navigator.credentials[form.dataset.ceremony](options(form.dataset.options)));
      form.submit();
    } catch {
      error.hidden = false;
    }
  });
}
