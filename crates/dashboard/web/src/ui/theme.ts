// Light or dark: the system's, unless the visitor has chosen. The choice is kept in this browser.

const KEY = "pelton.theme";
type Theme = "light" | "dark";

const system = window.matchMedia("(prefers-color-scheme: dark)");

function stored(): Theme | null {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : null;
  } catch {
    return null; // storage is forbidden: the choice lasts as long as the page
  }
}

export function themeButton(button: HTMLButtonElement, changed: () => void): void {
  let chosen = stored();
  const current = (): Theme => chosen ?? (system.matches ? "dark" : "light");
  const apply = (): void => {
    document.documentElement.dataset["theme"] = current();
    const other = current() === "dark" ? "Light" : "Dark";
    button.textContent = other;
    button.setAttribute("aria-label", `${other} colours`);
  };
  button.addEventListener("click", () => {
    chosen = current() === "dark" ? "light" : "dark";
    try {
      localStorage.setItem(KEY, chosen);
    } catch {
      // as above
    }
    apply();
    changed();
  });
  system.addEventListener("change", () => {
    apply();
    changed();
  });
  apply();
}
