// The page is rendered by the server alone: here its <main> is fetched anew and put in place of the old one.
"use strict";
(() => {
	const EVERY_MS = 2000;
	const status = document.getElementById("live");
	let paused = false, timer = 0;

	function tell(text) {
		if (status.firstChild.textContent !== text)
			status.firstChild.textContent = text;
	}

	function later() {
		clearTimeout(timer);
		if (!paused && !document.hidden)
			timer = setTimeout(load, EVERY_MS);
	}

	// Somebody selects text, or goes through the links: what they are at stays until they are done.
	function isInUse(main) {
		const selection = getSelection();
		return !selection.isCollapsed && main.contains(selection.anchorNode);
	}

	function replace(text) {
		const main = document.querySelector("main");
		const next = new DOMParser().parseFromString(text, "text/html").querySelector("main");
		if (!next)
			throw new Error("not our page"); // a frontend's own, about an error or a login
		if (isInUse(main))
			return;
		const scroll = root => root.querySelector(".scroll") ?? {};
		const left = scroll(main).scrollLeft;
		const links = () => [...document.querySelectorAll("main a")];
		const focused = main.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
		main.replaceWith(document.adoptNode(next));
		scroll(next).scrollLeft = left;
		if (focused !== null)
			links().find(a => a.getAttribute("href") === focused)?.focus({ preventScroll: true });
	}

	async function load() {
		try {
			const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(10000) });
			replace(await answer.text());
			document.body.classList.remove("offline");
			tell(answer.status === 503 ? "Waiting for the manager" : "Live");
		} catch {
			document.body.classList.add("offline");
			tell("No answer; what is shown is old");
		}
		later();
	}

	status.textContent = "";
	status.append(document.createElement("span"));
	const button = document.createElement("button");
	button.type = "button";
	button.textContent = "Pause";
	button.addEventListener("click", () => {
		paused = !paused;
		button.textContent = paused ? "Go on" : "Pause";
		tell(paused ? "Paused" : "Live");
		later();
	});
	status.append(" ", button);
	document.querySelector("meta[http-equiv=refresh]")?.remove();
	document.addEventListener("visibilitychange", later);
	tell("Live");
	later();
})();
