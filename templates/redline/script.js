(function () {
  "use strict";
  var stops = function () {
    return Array.prototype.filter.call(document.querySelectorAll(".entry a"), function (link) {
      return link.offsetParent !== null;
    });
  };
  var at = null;
  var go = function (step) {
    var links = stops();
    if (!links.length) { return; }
    var index = at === null ? (step > 0 ? -1 : 0) : links.indexOf(at);
    at = links[(index + step + links.length) % links.length];
    var target = document.getElementById(at.getAttribute("href").slice(1));
    Array.prototype.forEach.call(document.querySelectorAll(".current"), function (link) {
      link.classList.remove("current");
    });
    at.classList.add("current");
    at.scrollIntoView({ block: "nearest" });
    if (target) {
      target.scrollIntoView({ block: "center" });
      target.focus({ preventScroll: true });
    }
  };
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey) { return; }
    if (event.key === "n") { go(1); }
    else if (event.key === "p") { go(-1); }
    else if (event.key === "v") {
      var side = document.getElementById("view-side");
      document.getElementById(side.checked ? "view-inline" : "view-side").checked = true;
    }
  });
}());
