// Swagger UI, without a script in the page: the Content-Security-Policy allows none.
const place = document.getElementById("docs");
window.ui = SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
  // Who is signed in tries things out in their own name; a write needs the site's token.
  requestInterceptor: (request) => {
    const own = new URL(request.url, location.href).origin === location.origin;
    if (own && request.method !== "GET") request.headers["X-CSRFToken"] = place.dataset.token;
    return request;
  },
});
