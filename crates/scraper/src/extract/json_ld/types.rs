//! Which types of schema.org are read, and as what.

use serde_json::Value;

use super::{each, last_part};

/// What an item is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ItemType {
    Organization,
    Person,
    Product,
    Article,
}

/// Types below `Organization` whose names do not end as those of [`ORGANIZATION_ENDINGS`] do.
const ORGANIZATIONS: &[&str] = &[
    "AccountingService",
    "Airline",
    "AnimalShelter",
    "ArtGallery",
    "Attorney",
    "AutoBodyShop",
    "AutoDealer",
    "AutoRental",
    "AutoRepair",
    "AutoWash",
    "AutomatedTeller",
    "Bakery",
    "BankOrCreditUnion",
    "BarOrPub",
    "BeautySalon",
    "BedAndBreakfast",
    "BowlingAlley",
    "Brewery",
    "CafeOrCoffeeShop",
    "Campground",
    "Casino",
    "ChildCare",
    "CollegeOrUniversity",
    "ComedyClub",
    "Consortium",
    "Corporation",
    "DaySpa",
    "Dentist",
    "Distillery",
    "DryCleaningOrLaundry",
    "Electrician",
    "EmergencyService",
    "ExerciseGym",
    "FinancialService",
    "FireStation",
    "FoodEstablishment",
    "GasStation",
    "GolfCourse",
    "HairSalon",
    "Hospital",
    "Hostel",
    "Hotel",
    "HousePainter",
    "IceCreamShop",
    "InternetCafe",
    "LegalService",
    "Library",
    "Locksmith",
    "MedicalClinic",
    "Motel",
    "MovieTheater",
    "MovingCompany",
    "MusicGroup",
    "NGO",
    "NailSalon",
    "Notary",
    "Optician",
    "PerformingGroup",
    "Pharmacy",
    "Physician",
    "Plumber",
    "PoliceStation",
    "PostOffice",
    "Preschool",
    "ProfessionalService",
    "RadioStation",
    "RealEstateAgent",
    "Resort",
    "School",
    "SelfStorage",
    "ShoppingCenter",
    "SkiResort",
    "StadiumOrArena",
    "TattooParlor",
    "TelevisionStation",
    "TouristInformationCenter",
    "VeterinaryCare",
    "Winery",
];

const ORGANIZATION_ENDINGS: &[&str] = &[
    "Agency",
    "Business",
    "Club",
    "Contractor",
    "Organization",
    "Restaurant",
    "Store",
];

/// What an item of these types is, and the type that says so.
pub(super) fn item_type(types: Option<&Value>) -> Option<(ItemType, String)> {
    each(types)
        .filter_map(Value::as_str)
        .map(last_part)
        .find_map(|name| Some((kind_of(name)?, name.to_owned())))
}

fn kind_of(name: &str) -> Option<ItemType> {
    match name {
        "Person" => Some(ItemType::Person),
        "Product" | "ProductGroup" | "IndividualProduct" | "Vehicle" | "Car" => {
            Some(ItemType::Product)
        }
        "Article"
        | "AdvertiserContentArticle"
        | "BlogPosting"
        | "LiveBlogPosting"
        | "NewsArticle"
        | "Report"
        | "SatiricalArticle"
        | "ScholarlyArticle"
        | "SocialMediaPosting"
        | "TechArticle" => Some(ItemType::Article),
        name if name.len() <= 40
            && (ORGANIZATIONS.binary_search(&name).is_ok()
                || ORGANIZATION_ENDINGS.iter().any(|end| name.ends_with(end))) =>
        {
            Some(ItemType::Organization)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_list_of_organizations_is_sorted() {
        assert!(ORGANIZATIONS.is_sorted());
    }

    #[test]
    fn types_are_read_by_their_names() {
        let check = |types: Value, expected: Option<(ItemType, &str)>| {
            let found = item_type(Some(&types));
            let found = found.as_ref().map(|(kind, name)| (*kind, name.as_str()));
            assert_eq!(found, expected, "{types}");
        };
        check(json!("Dentist"), Some((ItemType::Organization, "Dentist")));
        check(
            json!("https://schema.org/BookStore"),
            Some((ItemType::Organization, "BookStore")),
        );
        check(
            json!(["Thing", "schema:Person"]),
            Some((ItemType::Person, "Person")),
        );
        check(json!(["WebPage", 1]), None);
        check(json!("Service"), None);
        check(json!(null), None);
    }
}
