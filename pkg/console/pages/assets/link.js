// The token of a one-time link is behind the "#", which browsers send nobody. It goes into
// the page's form, and out of the address and the history, before the form is sent.
const form = document.querySelector("form[data-fragment]");

const take = () => {
  const token = location.hash.slice(1);
  if (!form || !token) return;
  history.replaceState(null, "", location.pathname);
  form.elements[form.dataset.fragment].value = token;
  form.requestSubmit();
};

addEventListener("hashchange", take); // the link was put where this page is open
take();
