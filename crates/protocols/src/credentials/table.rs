//! The pairs, grouped by where they were published: security advisories, the makers' own manuals, and
//! the lists that malware carries.

/// User name and password.
pub(super) static PAIRS: &[(&str, &str)] = &[
    // Imaging and cardiology systems of one vendor: the CVEs that CISA's ICSMA-18-037-02 joins.
    ("entegra", "entegra"),           // CVE-2001-1594
    ("entegra", "0"),                 // CVE-2001-1594
    ("insite", "insite.genieacq"),    // CVE-2002-2446
    ("ftpclient", "interfile"),       // CVE-2003-1603
    ("LOCAL", "2"),                   // CVE-2003-1603
    ("administrator", "gemnet"),      // CVE-2004-2777
    ("webadmin", "webadmin"),         // CVE-2004-2777
    ("gemsservice", ""),              // CVE-2004-2777
    ("gemnet2002", "gemnet2002"),     // CVE-2004-2777
    ("museadmin", "Muse!Admin"),      // CVE-2007-6757
    ("acqservice", "#bigguy1"),       // CVE-2009-5143
    ("wsservice", "#bigguy1"),        // CVE-2009-5143
    ("root", "#bigguy"),              // CVE-2010-5306
    ("root", "operator"),             // CVE-2010-5307
    ("admin", "adw2.0"),              // CVE-2010-5307
    ("sdc", "adw2.0"),                // CVE-2010-5307
    ("admin", "confirma"),            // CVE-2010-5309
    ("sdc", "adw3.1"),                // CVE-2010-5310
    ("sa", "V0yag3r"),                // CVE-2011-5322
    ("viewer", "V0yag3r"),            // CVE-2011-5322
    ("analyst", "G3car3s"),           // CVE-2011-5322
    ("ccg", "G3car3s"),               // CVE-2011-5322
    ("geservice", "geservice"),       // CVE-2011-5322
    ("serviceapp", "orion"),          // CVE-2012-6660
    ("administrator", "PlatinumOne"), // CVE-2012-6660
    ("nasro", "nasro"),               // CVE-2012-6693
    ("nasrw", "nasrw"),               // CVE-2012-6693
    ("geservice", "2charGE"),         // CVE-2012-6694
    ("ddpadmin", "ddpadmin"),         // CVE-2012-6695
    ("insite", "2getin"),             // CVE-2013-7404, CVE-2014-7232
    ("administrator", "CANal1"),      // CVE-2013-7442
    ("iis", "iis"),                   // CVE-2013-7442
    ("xruser", "4$xray"),             // CVE-2014-7232
    ("root", "#superxr"),             // CVE-2014-7232
    // Health record, imaging and integration servers, from their own installation guides.
    ("orthanc", "orthanc"), // Orthanc Book, Docker images
    ("admin", "Admin123"),  // OpenMRS
    ("admin", "pass"),      // OpenEMR
    ("root", "changeit"),   // dcm4chee LDAP and WildFly
    ("alice", "alicepass"), // Orthanc Book, sample configuration
    ("pacs", "pacs"),       // dcm4chee database
    // Message brokers and data stores, from their own documentation.
    ("guest", "guest"),      // RabbitMQ
    ("admin", "public"),     // EMQX dashboard
    ("admin", "hivemq"),     // HiveMQ control centre
    ("artemis", "artemis"),  // ActiveMQ Artemis image
    ("elastic", "changeme"), // Elasticsearch before 6
    ("sa", ""),              // SQL Server before 2005, H2
    ("postgres", "postgres"),
    ("neo4j", "neo4j"),
    ("couchdb", "couchdb"),
    ("minioadmin", "minioadmin"),
    // Web servers and consoles, from their own documentation.
    ("tomcat", "tomcat"), // Apache Tomcat sample tomcat-users.xml
    ("tomcat", "s3cret"), // Apache Tomcat manager error page
    ("admin", "s3cret"),
    ("both", "tomcat"),
    ("role1", "tomcat"),
    ("admin", "tomcat"),
    ("weblogic", "welcome1"),
    ("system", "manager"), // Apache Karaf era consoles, Oracle
    ("karaf", "karaf"),
    ("nagiosadmin", "nagios"),
    ("zabbix", "zabbix"),
    ("pi", "raspberry"),
    ("ubnt", "ubnt"),
    ("vagrant", "vagrant"),
    // Cameras, recorders and small devices: the table in the published Mirai source (scanner.c).
    ("root", "xc3511"),
    ("root", "vizxv"),
    ("root", "admin"),
    ("admin", "admin"),
    ("root", "888888"),
    ("root", "xmhdipc"),
    ("root", "default"),
    ("root", "juantech"),
    ("root", "123456"),
    ("root", "54321"),
    ("support", "support"),
    ("root", ""),
    ("admin", "password"),
    ("root", "root"),
    ("root", "12345"),
    ("user", "user"),
    ("admin", ""),
    ("root", "pass"),
    ("admin", "admin1234"),
    ("root", "1111"),
    ("admin", "smcadmin"),
    ("admin", "1111"),
    ("root", "666666"),
    ("root", "password"),
    ("root", "1234"),
    ("root", "klv123"),
    ("administrator", "admin"),
    ("service", "service"),
    ("supervisor", "supervisor"),
    ("guest", "12345"),
    ("admin1", "password"),
    ("administrator", "1234"),
    ("666666", "666666"),
    ("888888", "888888"),
    ("root", "klv1234"),
    ("root", "Zte521"),
    ("root", "hi3518"),
    ("root", "jvbzd"),
    ("root", "anko"),
    ("root", "zlxx."),
    ("root", "7ujMko0vizxv"),
    ("root", "7ujMko0admin"),
    ("root", "system"),
    ("root", "ikwb"),
    ("root", "dreambox"),
    ("root", "user"),
    ("root", "realtek"),
    ("root", "0"),
    ("admin", "1111111"),
    ("admin", "1234"),
    ("admin", "12345"),
    ("admin", "54321"),
    ("admin", "123456"),
    ("admin", "7ujMko0admin"),
    ("admin", "meinsm"),
    ("tech", "tech"),
    // Other network gear and building controls, from their manuals.
    ("cisco", "cisco"),
    ("apc", "apc"),
    ("root", "dbps"), // Digi device servers
    ("admin", "moxa"),
    ("USER", "USER"), // Schneider Electric controllers
    ("admin", "wago"),
    ("user", "user00"),     // WAGO
    ("root", "calvin"),     // Dell iDRAC
    ("ADMIN", "ADMIN"),     // Supermicro IPMI; same as admin but for the password
    ("USERID", "PASSW0RD"), // IBM and Lenovo management modules
    ("admin", "default"),
    ("manager", "manager"),
    ("operator", "operator"),
    ("monitor", "monitor"),
    ("administrator", "password"),
    ("administrator", "administrator"),
    ("administrator", ""),
    ("guest", ""),
    ("user", ""),
    ("user", "password"),
    ("user", "1234"),
    ("test", "test"),
    ("demo", "demo"),
    ("ftp", "ftp"),
    ("anonymous", ""),
    // A role as its own password: no one vendor's, and the first guess of whoever tries clinical
    // devices.
    ("pump", "pump"),
    ("nurse", "nurse"),
    ("biomed", "biomed"),
    ("clinician", "clinician"),
    ("doctor", "doctor"),
    ("device", "device"),
    ("dicom", "dicom"),
    ("field", "field"),
    ("engineer", "engineer"),
    ("maintenance", "maintenance"),
    ("mqtt", "mqtt"),
];

/// SNMP communities that devices are shipped with: the advisories that name them, and makers' manuals.
pub(super) static COMMUNITIES: &[&str] = &[
    "public",       // CVE-1999-0517; nearly all makers, for reading
    "private",      // CVE-1999-0517; nearly all makers, for writing
    "all private",  // CVE-1999-0186, Solaris
    "snmpd",        // CVE-1999-0254, HP OpenView
    "ILMI",         // CVE-2001-0711, Cisco
    "cable-docsis", // CVE-2004-1776, Cisco
    "OrigEquipMfr", // Brocade Fabric OS manuals
    "Secret C0de",  // Brocade Fabric OS manuals
];
