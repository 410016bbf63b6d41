"use strict";

// Swagger UI has dark colours, but follows this class only.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

// Swagger UI enters the example of each parameter. Those of optional ones would change what is tried: a key would be the same for
// everybody, and filters would leave lists empty.
const withoutOptionalExamples = (description) => {
  for (const parameter of Object.values(description.components.parameters)) {
    if (!parameter.required) delete parameter.example;
  }
  return description;
};

SwaggerUIBundle({
  // It stands for the host and the path at which the page was asked, whatever proxies are before the gateway.
  url: new URL("../openapi.json", document.baseURI).href,
  dom_id: "#swagger-ui",
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  // The badge would send the address of the description to another host.
  validatorUrl: null,
  plugins: [
    () => ({
      statePlugins: {
        spec: {
          wrapActions: { updateJsonSpec: (update) => (description) => update(withoutOptionalExamples(description)) },
        },
      },
    }),
  ],
  // "Authorize" asks for a header's value; the token of a login alone becomes one.
  requestInterceptor: (request) => {
    const { Authorization: given } = request.headers;
    if (given && !/\s/.test(given)) request.headers.Authorization = `Token ${given}`;
    return request;
  },
});
